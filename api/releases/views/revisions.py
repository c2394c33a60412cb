"""Revisions of an environment: what made them, what is between two of them, and taking one back."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.moments import one_moment
from core.pagination import ChosenPagination
from environments.models import PublishedRevision
from environments.scope import InEnvironment
from releases.contents import differences
from releases.exceptions import EditedSinceError, TooManyRevisionsError
from releases.selectors import MOST_REVISIONS, add_records, contents_of, revisions_of
from releases.serializers import (
    DifferencesSerializer,
    OutcomeSerializer,
    PlanPreviewSerializer,
    RevisionDetailSerializer,
    RevisionSerializer,
    RevisionsQuery,
    RollbackSerializer,
    shown_differences,
    shown_documents,
    shown_plan,
)
from releases.services import Plan, preview_rollback, roll_back
from releases.views.checks import check_may, shown_outcome


@extend_schema_view(list=extend_schema(operation_id="list_environment_revisions"))
class RevisionViewSet(InEnvironment, mixins.ListModelMixin, viewsets.GenericViewSet):
    """What has changed in an environment: a revision for each change that SDKs could see, newest first."""

    queryset = PublishedRevision.objects.all()
    serializer_class = RevisionSerializer
    pagination_class = ChosenPagination
    lookup_field = "revision"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[PublishedRevision]:
        return revisions_of(self.environment)

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        add_records(page or [], self.environment)
        return page

    @extend_schema(operation_id="get_environment_revision", responses=RevisionDetailSerializer)
    def retrieve(self, request: Request, revision: int, **path: Any) -> Response:
        """Return what a revision changed of what features serve, state by state and field by field."""
        with one_moment():
            found = named_revision(self.get_queryset(), revision)
            add_records([found], self.environment)
            changes = shown_differences(differences(*contents_of([found], self.environment.pk)))
        return Response({**RevisionSerializer(found).data, "changes": changes})

    @extend_schema(
        operation_id="compare_environment_revisions",
        parameters=[RevisionsQuery],
        responses=DifferencesSerializer,
    )
    @action(detail=False, methods=["get"], pagination_class=None)
    def compare(self, request: Request, **path: Any) -> Response:
        """Return what of what features serve is different as of one revision and as of a later one."""
        query = RevisionsQuery.read(request)
        revisions = self.get_queryset().filter(revision__gt=query["from_revision"])
        if "to_revision" in query:
            revisions = revisions.filter(revision__lte=query["to_revision"])
        with one_moment():
            between = list(revisions[: MOST_REVISIONS + 1])
            if len(between) > MOST_REVISIONS:
                raise TooManyRevisionsError(MOST_REVISIONS)
            changes = shown_differences(differences(*contents_of(between, self.environment.pk)))
        return Response({"changes": changes})


class _OfRevision(InEnvironment):
    """A view of one revision of the environment in the path."""

    write_permission = "VIEW_ENVIRONMENT"
    asks_per_feature = True

    @cached_property
    def revision(self) -> PublishedRevision:
        """Raises Http404."""
        return named_revision(revisions_of(self.environment), self.kwargs["revision"])


class RollbackView(_OfRevision):
    serializer_class = RollbackSerializer

    @extend_schema(operation_id="roll_back_environment_revision", responses=OutcomeSerializer)
    def post(self, request: Request, **path: Any) -> Response:
        """Undo what a revision changed, but for what was edited since: that stays, and is shown."""
        body = RollbackSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        def check(plan: Plan) -> None:
            if body.validated_data["all_or_nothing"] and (plan.conflicts or plan.impossible):
                raise EditedSinceError(shown_plan(plan))
            check_may(request.user, plan, body.way)

        outcome = roll_back(self.revision, self.environment, body.way, author=request.user, check=check)
        return shown_outcome(outcome)


class RollbackPreviewView(_OfRevision):
    serializer_class = PlanPreviewSerializer

    @extend_schema(
        operation_id="preview_environment_revision_rollback", request=None, responses=PlanPreviewSerializer
    )
    def post(self, request: Request, **path: Any) -> Response:
        """Return what rolling a revision back would do, and what the document would say otherwise."""
        plan, previews = preview_rollback(self.revision, self.environment, author=request.user)
        return Response({**shown_plan(plan), "documents": shown_documents(previews)})


def named_revision(revisions: QuerySet[PublishedRevision], number: int) -> PublishedRevision:
    """Return the last revision of this number.

    Raises:
        Http404
    """
    found = revisions.filter(revision=number).first()
    if found is None:
        raise Http404
    return found

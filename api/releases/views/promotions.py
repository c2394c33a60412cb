"""Promotion: what one environment serves, carried over to another one of the project."""

from functools import cached_property
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput
from core.moments import one_moment
from environments.models import Environment
from environments.scope import InEnvironment, environment_with
from features.models import Feature
from permissions.access import may
from releases.contents import served
from releases.exceptions import SameEnvironmentError
from releases.promotions import Choice, compare, moved
from releases.selectors import current_number
from releases.serializers import (
    ChoiceSerializer,
    ComparisonSerializer,
    OutcomeSerializer,
    PlanPreviewSerializer,
    PromotionSerializer,
    shown_differences,
    shown_documents,
    shown_plan,
)
from releases.services import Plan, preview_promotion, promote_choices
from releases.views.checks import check_may, shown_outcome
from segments.models import Segment


class _Promotes(InEnvironment):
    """A view of two environments of a project: that in the path is the target, the other one the source."""

    write_permission = "VIEW_ENVIRONMENT"
    asks_per_feature = True

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        _ = self.source

    @cached_property
    def source(self) -> Environment:
        """The other environment.

        Raises:
            PermissionDenied: there is none in the project that the caller may look at.
            SameEnvironmentError: it is the same.
        """
        source = environment_with(self.kwargs["source_key"])
        if (
            source is None
            or source.project_id != self.environment.project_id
            or not may(self.request.user, "VIEW_ENVIRONMENT", source)
        ):
            raise PermissionDenied
        if source.pk == self.environment.pk:
            raise SameEnvironmentError
        return source

    def check(self, choices: list[Choice]) -> None:
        """Refuse what isn't the project's.

        Raises:
            InvalidInput
        """
        project = self.environment.project
        features = {each.feature_id for each in choices}
        if Feature.objects.filter(project=project, pk__in=features).count() < len(features):
            raise InvalidInput({"items": ["Feature does not exist in project"]})
        segments = {each.segment_id for each in choices if each.segment_id is not None}
        if Segment.objects.filter(project=project, pk__in=segments).count() < len(segments):
            raise InvalidInput({"items": ["Segment does not exist in project."]})


class PromotionView(_Promotes):
    serializer_class = PromotionSerializer

    @extend_schema(operation_id="compare_environments", responses=ComparisonSerializer)
    def get(self, request: Request, **path: Any) -> Response:
        """Return what would have to change here for it to serve what the other environment does."""
        target, source = self.environment.pk, self.source.pk
        with one_moment():
            revisions = {
                "source_revision": current_number(source),
                "target_revision": current_number(target),
            }
            found = compare(moved(served(source), target), served(target))
            changes = shown_differences(found)
        return Response({**revisions, "changes": changes})

    @extend_schema(operation_id="promote_environment", responses=OutcomeSerializer)
    def post(self, request: Request, **path: Any) -> Response:
        """Make what is chosen of this environment what it is in the other one: now, later, or on approval."""
        body = PromotionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.check(body.choices)
        given = body.validated_data

        def check_plan(plan: Plan) -> None:
            check_may(request.user, plan, body.way)

        outcome = promote_choices(
            self.source,
            self.environment,
            body.choices,
            body.way,
            author=request.user,
            check=check_plan,
            compared=(given.get("source_revision"), given.get("target_revision")),
        )
        return shown_outcome(outcome)


class PromotionPreviewView(_Promotes):
    serializer_class = ChoiceSerializer

    @extend_schema(operation_id="preview_environment_promotion", responses=PlanPreviewSerializer)
    def post(self, request: Request, **path: Any) -> Response:
        """Return what promoting what is chosen would do, and what the document would say otherwise."""
        body = ChoiceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.check(body.choices)
        plan, previews = preview_promotion(self.source, self.environment, body.choices, author=request.user)
        return Response({**shown_plan(plan), "documents": shown_documents(previews)})

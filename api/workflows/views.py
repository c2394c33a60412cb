"""Change requests of environments and, for segments, of projects."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.pagination import ChosenPagination
from core.views import ManagedView
from environments.scope import InEnvironment
from features.scope import require_for
from features.views.metrics import EnvironmentMetricsView as FeaturesMetricsView
from permissions.access import may, require, within_reach
from permissions.actors import Actor, Machine
from permissions.catalogue import ADMIN
from projects.scope import InProject
from workflows.models import ChangeRequest, RequestedChange
from workflows.selectors import described_requests, numbers_in
from workflows.serializers import (
    ListedRequestSerializer,
    NewEnvironmentRequestSerializer,
    NewProjectRequestSerializer,
    ProjectRequestsQuery,
    RequestSerializer,
    RequestsQuery,
)
from workflows.services.change_requests import (
    approve,
    commit,
    create_change_request,
    delete_change_request,
    update_change_request,
)
from workflows.wanted import wanted_in_environment, wanted_segments


class CreateChangeRequestView(InEnvironment):
    serializer_class = NewEnvironmentRequestSerializer
    write_permission = "CREATE_CHANGE_REQUEST"
    asks_per_feature = True

    @extend_schema(operation_id="create_environment_change_request", responses={201: RequestSerializer})
    def post(self, request: Request, **path: Any) -> Response:
        """Ask for a change of what features serve in this environment."""
        body = NewEnvironmentRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changes = wanted_in_environment(body.validated_data, self.environment) or []
        require_for_each(
            request.user, self.write_permission, self.environment, (each.feature_id for each in changes)
        )
        created = create_change_request(
            self.environment.project,
            self.environment,
            author=request.user,
            changes=changes,
            reviewers=body.reviewers,
            **body.words,
        )
        return Response(_shown(created), status=status.HTTP_201_CREATED)


class ListChangeRequestsView(InEnvironment, generics.ListAPIView):
    """The requests of an environment, the newest first."""

    serializer_class = ListedRequestSerializer
    pagination_class = ChosenPagination

    @extend_schema(operation_id="list_environment_change_requests", parameters=[RequestsQuery])
    def get(self, request: Request, *args: Any, **path: Any) -> Response:
        """List an environment's change requests, the newest first."""
        return super().get(request, *args, **path)

    def get_queryset(self) -> QuerySet[ChangeRequest]:
        requests: QuerySet[ChangeRequest] = ChangeRequest.objects.filter(environment=self.environment)
        return requests.prefetch_related("changes")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        query = RequestsQuery.read(self.request)
        changes = RequestedChange.objects.filter(change_request__environment=self.environment)
        if "feature_id" in query:
            queryset = queryset.filter(pk__in=_requests(changes.filter(feature=query["feature_id"])))
        if "segment_id" in query:
            named = {"steps": [[{"segment": query["segment_id"]}]]}
            queryset = queryset.filter(pk__in=_requests(changes.filter(content__contains=named)))
        if "live_from_after" in query:
            later = changes.filter(live_from__gt=query["live_from_after"])
            queryset = queryset.filter(pk__in=_requests(later))
        return _narrowed(queryset, query)


@extend_schema_view(
    retrieve=extend_schema(operation_id="get_change_request"),
    destroy=extend_schema(operation_id="delete_change_request"),
)
class ChangeRequestViewSet(
    ManagedView, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """A request for changes in an environment."""

    permission_classes = [IsAuthenticated]
    queryset = ChangeRequest.objects.all()
    serializer_class = RequestSerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[ChangeRequest]:
        requests = described_requests().filter(environment__isnull=False)
        return within_reach(self.request.user, requests, "environment__project__organisation")

    def check_object_permissions(self, request: Request, obj: ChangeRequest) -> None:
        super().check_object_permissions(request, obj)
        features = [each.feature_id for each in obj.changes.all() if each.deleted_at is None]
        ask = partial(require_for_each, request.user, target=obj.environment, feature_ids=features)
        if self.action == "approve":
            ask("APPROVE_CHANGE_REQUEST")
        elif self.action == "commit":
            ask("UPDATE_FEATURE_STATE")
        elif self.action == "retrieve":
            require(request.user, "VIEW_ENVIRONMENT", obj.environment)
        elif not is_author(request.user, obj) and not may(request.user, ADMIN, obj.environment):
            raise PermissionDenied

    @extend_schema(
        operation_id="update_change_request",
        request=NewEnvironmentRequestSerializer,
        responses=RequestSerializer,
    )
    def update(self, request: Request, **path: Any) -> Response:
        """Change a request that hasn't taken effect. Its approvals end with that."""
        return self._update(request, partial=False)

    @extend_schema(
        operation_id="patch_change_request",
        request=NewEnvironmentRequestSerializer(partial=True),
        responses=RequestSerializer,
    )
    def partial_update(self, request: Request, **path: Any) -> Response:
        """Change what is given of a request that hasn't taken effect. Its approvals end with that."""
        return self._update(request, partial=True)

    def perform_destroy(self, instance: ChangeRequest) -> None:
        delete_change_request(instance, author=self.request.user)

    @extend_schema(operation_id="approve_change_request", request=None, responses=RequestSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, **path: Any) -> Response:
        """Approve a request of somebody else."""
        return Response(_shown(approve(self.get_object(), approver=request.user)))

    @extend_schema(operation_id="commit_change_request", request=None, responses=RequestSerializer)
    @action(detail=True, methods=["post"])
    def commit(self, request: Request, **path: Any) -> Response:
        """Carry a request out: now, or at the times that it names."""
        return Response(_shown(commit(self.get_object(), author=request.user)))

    def _update(self, request: Request, *, partial: bool) -> Response:
        found = self.get_object()
        body = NewEnvironmentRequestSerializer(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        changes = wanted_in_environment(body.validated_data, found.environment)
        known = {each.feature_id for each in found.changes.all()}
        new = {each.feature_id for each in changes or []} - known
        if new:
            require_for_each(request.user, "CREATE_CHANGE_REQUEST", found.environment, new)
        updated = update_change_request(
            found, author=request.user, changes=changes, reviewers=body.reviewers, **body.words
        )
        return Response(_shown(updated))


@extend_schema_view(
    list=extend_schema(operation_id="list_project_change_requests", parameters=[ProjectRequestsQuery]),
    retrieve=extend_schema(operation_id="get_project_change_request"),
    destroy=extend_schema(operation_id="delete_project_change_request"),
)
class ProjectChangeRequestViewSet(
    InProject,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Requests for changes of a project's segments."""

    queryset = ChangeRequest.objects.all()
    pagination_class = ChosenPagination
    lookup_value_converter = "int"
    write_permission = "MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS"
    permission_by_action = {
        "create": "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS",
        "approve": "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS",
        "commit": "MANAGE_SEGMENTS",
    }

    def get_serializer_class(self) -> Any:
        return ListedRequestSerializer if self.action == "list" else RequestSerializer

    def get_queryset(self) -> QuerySet[ChangeRequest]:
        return described_requests().filter(project=self.project, environment__isnull=True)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        query = ProjectRequestsQuery.read(self.request)
        if "segment_id" in query:
            changes = RequestedChange.objects.filter(segment=query["segment_id"])
            queryset = queryset.filter(pk__in=_requests(changes))
        return _narrowed(queryset, query)

    @extend_schema(
        operation_id="create_project_change_request",
        request=NewProjectRequestSerializer,
        responses={201: RequestSerializer},
    )
    def create(self, request: Request, **path: Any) -> Response:
        """Ask for a change of segments."""
        body = NewProjectRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        created = create_change_request(
            self.project,
            None,
            author=request.user,
            changes=wanted_segments(body.validated_data, self.project) or [],
            reviewers=body.reviewers,
            **body.words,
        )
        return Response(_shown(created), status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="update_project_change_request",
        request=NewProjectRequestSerializer,
        responses=RequestSerializer,
    )
    def update(self, request: Request, **path: Any) -> Response:
        """Change a request that hasn't taken effect. Its approvals end with that."""
        return self._update(request, partial=False)

    @extend_schema(
        operation_id="patch_project_change_request",
        request=NewProjectRequestSerializer(partial=True),
        responses=RequestSerializer,
    )
    def partial_update(self, request: Request, **path: Any) -> Response:
        """Change what is given of a request that hasn't taken effect. Its approvals end with that."""
        return self._update(request, partial=True)

    def perform_destroy(self, instance: ChangeRequest) -> None:
        delete_change_request(instance, author=self.request.user)

    @extend_schema(operation_id="approve_project_change_request", request=None, responses=RequestSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, **path: Any) -> Response:
        """Approve a request of somebody else."""
        return Response(_shown(approve(self.get_object(), approver=request.user)))

    @extend_schema(operation_id="commit_project_change_request", request=None, responses=RequestSerializer)
    @action(detail=True, methods=["post"])
    def commit(self, request: Request, **path: Any) -> Response:
        """Change the segments as the request wants it."""
        return Response(_shown(commit(self.get_object(), author=request.user)))

    def _update(self, request: Request, *, partial: bool) -> Response:
        found = self.get_object()
        body = NewProjectRequestSerializer(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        updated = update_change_request(
            found,
            author=request.user,
            changes=wanted_segments(body.validated_data, self.project),
            reviewers=body.reviewers,
            **body.words,
        )
        return Response(_shown(updated))


class EnvironmentMetricsView(FeaturesMetricsView):
    """How much there is in an environment, with its change requests."""

    def figures_from_above(self) -> dict[str, int]:
        return numbers_in(self.environment)


def require_for_each(actor: Actor, permission: str, target: Any, feature_ids: Iterable[int | None]) -> None:
    """Refuse whoever doesn't hold `permission` for all these features; without any, whoever doesn't hold it.

    Raises:
        PermissionDenied
    """
    features = {each for each in feature_ids if each is not None}
    for feature_id in sorted(features):
        require_for(actor, permission, target, feature_id)
    if not features:
        require(actor, permission, target)


def is_author(actor: Actor, request: ChangeRequest) -> bool:
    if isinstance(actor, Machine):
        return request.user_key_id == actor.key_id
    return bool(request.user_id is not None and request.user_id == actor.pk)


def _shown(request: ChangeRequest) -> Any:
    return RequestSerializer(described_requests().get(pk=request.pk)).data


def _requests(changes: QuerySet[RequestedChange]) -> QuerySet[Any]:
    return changes.values("change_request")


def _narrowed(requests: QuerySet[Any], query: dict[str, Any]) -> QuerySet[Any]:
    if query["committed"] is not None:
        requests = requests.filter(committed_at__isnull=not query["committed"])
    if "search" in query:
        requests = requests.filter(title__icontains=query["search"])
    return requests

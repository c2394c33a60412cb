"""Change requests of environments and, for segments, of projects."""

from collections.abc import Iterable
from typing import Any, ClassVar

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
from features.scope import require_for_each
from permissions.access import may, require, within_reach
from permissions.actors import Actor, Machine
from permissions.catalogue import ADMIN
from projects.scope import InProject
from workflows.content import WantedChange
from workflows.models import ChangeRequest, RequestedChange
from workflows.selectors import described_requests, requests_with_changes
from workflows.serializers.requests import (
    ListedRequestSerializer,
    NewEnvironmentRequestSerializer,
    NewProjectRequestSerializer,
    NewRequestSerializer,
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
        require_for_each(request.user, self.write_permission, self.environment, features_of(changes))
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
        return requests_with_changes().filter(environment=self.environment)

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


class _OneRequestViewSet(
    ManagedView, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """What is done to one request, of an environment or of a project."""

    queryset = ChangeRequest.objects.all()
    serializer_class: Any = RequestSerializer
    body_class: ClassVar[type[NewRequestSerializer]]
    lookup_value_converter = "int"

    def requests(self) -> QuerySet[ChangeRequest]:
        """Return all requests, with what this action needs of them."""
        return described_requests() if self.action == "retrieve" else requests_with_changes()

    def wanted(self, given: dict[str, Any], found: ChangeRequest) -> list[WantedChange] | None:
        """Return what validated data wants changed; None where it doesn't say."""
        raise NotImplementedError

    def update(self, request: Request, **path: Any) -> Response:
        """Change a request that hasn't taken effect. Its approvals end with that."""
        return self._update(request, partial=False)

    def partial_update(self, request: Request, **path: Any) -> Response:
        """Change what is given of a request that hasn't taken effect. Its approvals end with that."""
        return self._update(request, partial=True)

    def perform_destroy(self, instance: ChangeRequest) -> None:
        delete_change_request(instance, author=self.request.user)

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, **path: Any) -> Response:
        """Approve a request of somebody else."""
        return Response(_shown(approve(self.get_object(), approver=request.user)))

    @action(detail=True, methods=["post"])
    def commit(self, request: Request, **path: Any) -> Response:
        """Carry a request out: now, or at the times that it names."""
        return Response(_shown(commit(self.get_object(), author=request.user)))

    def _update(self, request: Request, *, partial: bool) -> Response:
        found = self.get_object()
        body = self.body_class(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        updated = update_change_request(
            found,
            author=request.user,
            changes=self.wanted(body.validated_data, found),
            reviewers=body.reviewers,
            **body.words,
        )
        return Response(_shown(updated))


@extend_schema_view(
    retrieve=extend_schema(operation_id="get_change_request"),
    update=extend_schema(
        operation_id="update_change_request",
        request=NewEnvironmentRequestSerializer,
        responses=RequestSerializer,
    ),
    partial_update=extend_schema(
        operation_id="patch_change_request",
        request=NewEnvironmentRequestSerializer(partial=True),
        responses=RequestSerializer,
    ),
    destroy=extend_schema(operation_id="delete_change_request"),
    approve=extend_schema(operation_id="approve_change_request", request=None),
    commit=extend_schema(operation_id="commit_change_request", request=None),
)
class ChangeRequestViewSet(_OneRequestViewSet):
    """A request for changes in an environment."""

    permission_classes = [IsAuthenticated]
    body_class = NewEnvironmentRequestSerializer

    def get_queryset(self) -> QuerySet[ChangeRequest]:
        requests = self.requests().filter(environment__isnull=False)
        return within_reach(self.request.user, requests, "environment__project__organisation")

    def check_object_permissions(self, request: Request, obj: ChangeRequest) -> None:
        super().check_object_permissions(request, obj)
        if self.action == "approve":
            require_for_each(request.user, "APPROVE_CHANGE_REQUEST", obj.environment, _features_of(obj))
        elif self.action == "commit":
            require_for_each(request.user, "UPDATE_FEATURE_STATE", obj.environment, _features_of(obj))
        elif self.action == "retrieve":
            require(request.user, "VIEW_ENVIRONMENT", obj.environment)
        elif not is_author(request.user, obj) and not may(request.user, ADMIN, obj.environment):
            raise PermissionDenied

    def wanted(self, given: dict[str, Any], found: ChangeRequest) -> list[WantedChange] | None:
        environment: Any = found.environment
        changes = wanted_in_environment(given, environment)
        if new := features_of(changes or []) - _features_of(found):
            require_for_each(self.request.user, "CREATE_CHANGE_REQUEST", environment, new)
        return changes


@extend_schema_view(
    list=extend_schema(operation_id="list_project_change_requests", parameters=[ProjectRequestsQuery]),
    retrieve=extend_schema(operation_id="get_project_change_request"),
    update=extend_schema(
        operation_id="update_project_change_request",
        request=NewProjectRequestSerializer,
        responses=RequestSerializer,
    ),
    partial_update=extend_schema(
        operation_id="patch_project_change_request",
        request=NewProjectRequestSerializer(partial=True),
        responses=RequestSerializer,
    ),
    destroy=extend_schema(operation_id="delete_project_change_request"),
    approve=extend_schema(operation_id="approve_project_change_request", request=None),
    commit=extend_schema(operation_id="commit_project_change_request", request=None),
)
class ProjectChangeRequestViewSet(InProject, mixins.ListModelMixin, _OneRequestViewSet):
    """Requests for changes of a project's segments."""

    body_class = NewProjectRequestSerializer
    pagination_class = ChosenPagination
    write_permission = "MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS"
    permission_by_action = {
        "create": "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS",
        "approve": "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS",
        "commit": "MANAGE_SEGMENTS",
    }

    def get_serializer_class(self) -> Any:
        return ListedRequestSerializer if self.action == "list" else RequestSerializer

    def get_queryset(self) -> QuerySet[ChangeRequest]:
        return self.requests().filter(project=self.project, environment__isnull=True)

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

    def wanted(self, given: dict[str, Any], found: ChangeRequest) -> list[WantedChange] | None:
        return wanted_segments(given, self.project)


def is_author(actor: Actor, request: ChangeRequest) -> bool:
    if isinstance(actor, Machine):
        return request.user_key_id == actor.key_id
    return bool(request.user_id is not None and request.user_id == actor.pk)


def features_of(changes: Iterable[WantedChange | RequestedChange]) -> set[int]:
    return {each.feature_id for each in changes if each.feature_id is not None}


def _features_of(request: ChangeRequest) -> set[int]:
    return features_of(each for each in request.changes.all() if each.deleted_at is None)


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

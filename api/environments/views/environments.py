"""Environments and their server-side keys."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, mixins, viewsets
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput
from environments.models import Environment, ServerSideKey
from environments.revisions import REVISION_HEADER, current_revision_of
from environments.scope import InEnvironment, environment_with
from environments.serializers.environments import (
    EnvironmentDetailSerializer,
    EnvironmentSerializer,
    NewEnvironmentSerializer,
    ProjectEnvironmentSerializer,
    ServerSideKeySerializer,
)
from environments.services import (
    create_environment,
    create_server_side_key,
    delete_environment,
    delete_server_side_key,
    update_environment,
    update_server_side_key,
)
from permissions.access import may, require, visible, within_reach
from permissions.catalogue import ADMIN, MEMBER, Level
from permissions.drf import MayUseObject, ObjectsWithPermissions
from permissions.scoped import ScopedView
from projects.models import Project
from projects.scope import InProject


@extend_schema_view(
    list=extend_schema(
        parameters=[OpenApiParameter("project", OpenApiTypes.INT, required=True, description="Its id.")]
    ),
    create=extend_schema(request=NewEnvironmentSerializer, responses={201: EnvironmentSerializer}),
    retrieve=extend_schema(
        parameters=[
            OpenApiParameter(
                REVISION_HEADER, str, OpenApiParameter.HEADER, response=True, description="Its revision."
            )
        ]
    ),
)
class EnvironmentViewSet(ObjectsWithPermissions, viewsets.ModelViewSet):
    """Environments, by their client-side keys. One of another organisation's gets 404, as an unknown one."""

    level = Level.ENVIRONMENT
    queryset = Environment.objects.all()
    lookup_field = "api_key"
    lookup_url_kwarg = "environment_key"
    read_permission = "VIEW_ENVIRONMENT"
    write_permission = ADMIN

    def get_serializer_class(self) -> type[EnvironmentSerializer]:
        if self.action == "create":
            return NewEnvironmentSerializer
        return EnvironmentDetailSerializer if self.action == "retrieve" else EnvironmentSerializer

    def get_queryset(self) -> QuerySet[Environment]:
        environments = Environment.objects.filter(project=self._project()).prefetch_related("metadata")
        return visible(self.request.user, environments, "VIEW_ENVIRONMENT")

    def get_object(self) -> Environment:
        environment = environment_with(self.kwargs["environment_key"])
        if environment is None or not may(self.request.user, MEMBER, environment):
            raise NotFound
        self.check_object_permissions(self.request, environment)
        return environment

    def retrieve(self, request: Request, *args: Any, **path: Any) -> Response:
        environment = self.get_object()
        content = self.get_serializer(environment).data
        # Read after the rest: who then asks an SDK endpoint for it sees at least what stands here.
        revision = current_revision_of(environment.pk)
        return Response(content, headers={REVISION_HEADER: str(revision)})

    def perform_create(self, serializer: Any) -> None:
        fields = dict(serializer.validated_data)
        project = Project.objects.filter(pk=fields.pop("project")).first()
        if project is None:
            raise PermissionDenied
        require(self.request.user, "CREATE_ENVIRONMENT", project)
        serializer.instance = create_environment(project, author=self.request.user, **fields)

    def perform_update(self, serializer: Any) -> None:
        update_environment(serializer.instance, author=self.request.user, **serializer.validated_data)

    def perform_destroy(self, instance: Environment) -> None:
        delete_environment(instance)

    def _project(self) -> Project:
        """Return the project that the list is of; another organisation's is as good as none."""
        given = self.request.query_params.get("project", "")
        project: Project | None = Project.objects.filter(pk=int(given)).first() if _is_id(given) else None
        if project is None or not may(self.request.user, MEMBER, project):
            raise InvalidInput(["Invalid or missing value for project parameter."])
        return project


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


@extend_schema_view(get=extend_schema(operation_id="get_environment_by_uuid"))
class EnvironmentByUuidView(ScopedView, generics.RetrieveAPIView):
    """An environment. One of another organisation's gets 404, as an unknown one."""

    serializer_class = EnvironmentSerializer
    lookup_field = "uuid"
    queryset = Environment.objects.all()
    permission_classes = [IsAuthenticated, MayUseObject]
    read_permission = "VIEW_ENVIRONMENT"

    def get_queryset(self) -> QuerySet[Environment]:
        environments: QuerySet[Environment] = Environment.objects.select_related("project")
        return within_reach(self.request.user, environments, "project__organisation")


@extend_schema_view(get=extend_schema(operation_id="list_project_environments"))
class ProjectEnvironmentsView(InProject, generics.ListAPIView):
    """All environments of a project, for its administrators."""

    serializer_class = ProjectEnvironmentSerializer
    queryset = Environment.objects.all()
    pagination_class = None

    read_permission = ADMIN

    def get_queryset(self) -> QuerySet[Environment]:
        environments: QuerySet[Environment] = Environment.objects.filter(project=self.project)
        return environments


class ServerSideKeyViewSet(
    InEnvironment,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """An environment's keys for servers, readable in full for its administrators."""

    serializer_class = ServerSideKeySerializer
    queryset = ServerSideKey.objects.all()
    lookup_value_converter = "int"
    pagination_class = None
    read_permission = ADMIN
    write_permission = ADMIN

    def get_queryset(self) -> QuerySet[ServerSideKey]:
        return ServerSideKey.objects.filter(environment=self.environment)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_server_side_key(self.environment, **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        update_server_side_key(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: ServerSideKey) -> None:
        delete_server_side_key(instance)

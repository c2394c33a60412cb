"""Projects and their tags."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.views import ManagedView
from organisations.models import Organisation
from organisations.scope import InOrganisation
from permissions.access import grants_of, may, require, visible, within_reach
from permissions.catalogue import ADMIN, Level
from permissions.drf import ObjectsWithPermissions, member_of
from permissions.serializers import GrantsSerializer
from projects.exceptions import NoEdgeStoreError
from projects.models import Project, Tag
from projects.scope import InProject
from projects.serializers.projects import (
    NewProjectSerializer,
    ProjectDetailSerializer,
    ProjectQuery,
    ProjectSerializer,
    TagSerializer,
)
from projects.services import (
    create_project,
    create_tag,
    delete_project,
    delete_tag,
    update_project,
    update_tag,
)


@extend_schema_view(
    list=extend_schema(parameters=[ProjectQuery]),
    create=extend_schema(request=NewProjectSerializer, responses={201: ProjectSerializer}),
)
class ProjectViewSet(ObjectsWithPermissions, viewsets.ModelViewSet):
    """The projects that the caller may see."""

    level = Level.PROJECT
    queryset = Project.objects.all()
    lookup_value_converter = "int"
    pagination_class = None
    read_permission = "VIEW_PROJECT"
    write_permission = ADMIN

    def get_serializer_class(self) -> type[ProjectSerializer]:
        if self.action == "create":
            return NewProjectSerializer
        return ProjectDetailSerializer if self.action == "retrieve" else ProjectSerializer

    def get_queryset(self) -> QuerySet[Project]:
        if self.action == "user_detailed_permissions":
            return within_reach(self.request.user, Project.objects.all(), "organisation")
        return visible(self.request.user, Project.objects.all(), "VIEW_PROJECT")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**ProjectQuery.read(self.request)) if self.action == "list" else queryset

    def perform_create(self, serializer: Any) -> None:
        fields = dict(serializer.validated_data)
        organisation = Organisation.objects.filter(pk=fields.pop("organisation")).first()
        if organisation is None:
            raise PermissionDenied
        require(self.request.user, "CREATE_PROJECT", organisation)
        serializer.instance = create_project(organisation, creator=self.request.user, **fields)

    def perform_update(self, serializer: Any) -> None:
        update_project(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Project) -> None:
        delete_project(instance)

    @extend_schema(operation_id="get_project_all_user_permissions", responses=GrantsSerializer)
    @action(detail=True, methods=["get"], url_path="all-user-permissions/<int:user_pk>")
    def all_user_permissions(self, request: Request, user_pk: int, **path: Any) -> Response:
        """Say what a user may do in this project, from wherever that comes. For its administrators."""
        project = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        # The contract has 403 for everybody else, even for who doesn't see the project.
        if project is None or not may(request.user, ADMIN, project):
            raise PermissionDenied
        return Response(GrantsSerializer(grants_of(member_of(project, user_pk), project)).data)

    @extend_schema(operation_id="migrate_project_to_edge", request=None, responses={400: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"], url_path="migrate-to-edge")
    def migrate_to_edge(self, request: Request, **path: Any) -> Response:
        """Refuse: there is no edge store here. Dashboards look for the route."""
        self.get_object()
        raise NoEdgeStoreError


@extend_schema_view(get=extend_schema(operation_id="get_project_by_uuid"))
class ProjectByUuidView(ManagedView, generics.RetrieveAPIView):
    """A project that the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = ProjectSerializer
    lookup_field = "uuid"
    queryset = Project.objects.all()

    def get_queryset(self) -> QuerySet[Project]:
        return visible(self.request.user, Project.objects.all(), "VIEW_PROJECT")


@extend_schema_view(get=extend_schema(operation_id="list_organisation_projects"))
class OrganisationProjectsView(InOrganisation, generics.ListAPIView):
    """The projects of an organisation that the caller may see."""

    serializer_class = ProjectSerializer
    queryset = Project.objects.all()
    pagination_class = None

    def get_queryset(self) -> QuerySet[Project]:
        return visible(
            self.request.user, Project.objects.filter(organisation=self.organisation), "VIEW_PROJECT"
        )


class TagViewSet(InProject, viewsets.ModelViewSet):
    """A project's tags."""

    serializer_class = TagSerializer
    queryset = Tag.objects.all()
    lookup_value_converter = "int"
    write_permission = "MANAGE_TAGS"

    @property
    def hides_project(self) -> bool:
        return bool(self.detail)

    def get_queryset(self) -> QuerySet[Tag]:
        return Tag.objects.filter(project=self.project)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_tag(self.project, **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        update_tag(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Tag) -> None:
        delete_tag(instance)


@extend_schema_view(get=extend_schema(operation_id="get_project_tag_by_uuid"))
class TagByUuidView(InProject, generics.RetrieveAPIView):
    """A tag of the project."""

    serializer_class = TagSerializer
    queryset = Tag.objects.all()
    lookup_field = "uuid"

    def get_queryset(self) -> QuerySet[Tag]:
        return Tag.objects.filter(project=self.project)

"""What roles grant on projects."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from organisations.views.roles import RolePermissionsView
from permissions.models import ProjectGrant
from projects.serializers.roles import (
    KeptRoleProjectPermissionsSerializer,
    RoleProjectPermissionsQuery,
    RoleProjectPermissionsSerializer,
)


@extend_schema_view(list=extend_schema(parameters=[RoleProjectPermissionsQuery]))
class RoleProjectPermissionsViewSet(RolePermissionsView):
    """What a role grants on projects."""

    queryset = ProjectGrant.objects.all()
    serializer_class = RoleProjectPermissionsSerializer
    kept_serializer_class = KeptRoleProjectPermissionsSerializer
    query = RoleProjectPermissionsQuery

    @property
    def grants(self) -> QuerySet[Any]:
        return ProjectGrant.objects.filter(role=self.role, project__deleted_at__isnull=True)

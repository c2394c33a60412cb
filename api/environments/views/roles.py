"""What roles grant on environments."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from environments.serializers.roles import (
    KeptRoleEnvironmentPermissionsSerializer,
    RoleEnvironmentPermissionsQuery,
    RoleEnvironmentPermissionsSerializer,
)
from organisations.views.roles import RolePermissionsView
from permissions.models import EnvironmentGrant


@extend_schema_view(list=extend_schema(parameters=[RoleEnvironmentPermissionsQuery]))
class RoleEnvironmentPermissionsViewSet(RolePermissionsView):
    """What a role grants on environments."""

    queryset = EnvironmentGrant.objects.all()
    serializer_class = RoleEnvironmentPermissionsSerializer
    kept_serializer_class = KeptRoleEnvironmentPermissionsSerializer
    query = RoleEnvironmentPermissionsQuery

    @property
    def grants(self) -> QuerySet[Any]:
        return EnvironmentGrant.objects.filter(role=self.role, environment__deleted_at__isnull=True)

"""What users and groups were granted on an environment. Only its administrators change that."""

from typing import Any

from rest_framework import viewsets

from environments.scope import InEnvironment
from environments.serializers.permissions import (
    EnvironmentGroupPermissionsSerializer,
    EnvironmentUserPermissionsSerializer,
    ListedEnvironmentGroupPermissionsSerializer,
    ListedEnvironmentUserPermissionsSerializer,
)
from organisations.views.grants import GrantsView
from permissions.catalogue import ADMIN
from permissions.models import EnvironmentGrant


class EnvironmentGrantsView(InEnvironment, GrantsView, viewsets.ModelViewSet):
    """What was granted on an environment."""

    queryset = EnvironmentGrant.objects.all()
    write_permission = ADMIN
    permission_by_action = {"retrieve": ADMIN}

    @property
    def target(self) -> Any:
        return self.environment


class EnvironmentUserPermissionsViewSet(EnvironmentGrantsView):
    """What single users were granted on an environment."""

    serializer_class = EnvironmentUserPermissionsSerializer
    listed_serializer_class = ListedEnvironmentUserPermissionsSerializer


class EnvironmentGroupPermissionsViewSet(EnvironmentGrantsView):
    """What groups were granted on an environment."""

    serializer_class = EnvironmentGroupPermissionsSerializer
    listed_serializer_class = ListedEnvironmentGroupPermissionsSerializer
    listed_with = ("group__memberships__user",)

"""What users and groups were granted on an environment, on the wire."""

from organisations.serializers.grants import (
    AdminGrantSerializer,
    GroupField,
    MemberField,
)
from organisations.serializers.groups import GroupSerializer
from permissions.catalogue import Level
from users.serializers import UserSummarySerializer


class EnvironmentUserPermissionsSerializer(AdminGrantSerializer):
    level = Level.ENVIRONMENT
    holder = "user"

    user = MemberField()


class ListedEnvironmentUserPermissionsSerializer(EnvironmentUserPermissionsSerializer):
    user = UserSummarySerializer(read_only=True)  # type: ignore[assignment]


class EnvironmentGroupPermissionsSerializer(AdminGrantSerializer):
    level = Level.ENVIRONMENT
    holder = "group"

    group = GroupField()


class ListedEnvironmentGroupPermissionsSerializer(EnvironmentGroupPermissionsSerializer):
    group = GroupSerializer(read_only=True)  # type: ignore[assignment]

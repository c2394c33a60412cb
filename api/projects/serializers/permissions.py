"""What users and groups were granted on a project, on the wire."""

from rest_framework import serializers

from core.fields import IdListField
from organisations.models import Group
from organisations.serializers.grants import AdminGrantSerializer, GroupField, MemberField
from permissions.catalogue import Level
from users.serializers import UserSummarySerializer


class GroupWithUserIdsSerializer(serializers.ModelSerializer):
    """A group and the ids of who is in it, with `users` loaded."""

    users = IdListField()

    class Meta:
        model = Group
        fields = ["id", "name", "users", "is_default", "external_id"]
        read_only_fields = fields


class ProjectUserPermissionsSerializer(AdminGrantSerializer):
    level = Level.PROJECT
    holder = "user"

    user = MemberField()


class ListedProjectUserPermissionsSerializer(ProjectUserPermissionsSerializer):
    user = UserSummarySerializer(read_only=True)  # type: ignore[assignment]


class ProjectGroupPermissionsSerializer(AdminGrantSerializer):
    level = Level.PROJECT
    holder = "group"

    group = GroupField()


class ListedProjectGroupPermissionsSerializer(ProjectGroupPermissionsSerializer):
    group = GroupWithUserIdsSerializer(read_only=True)  # type: ignore[assignment]

"""Roles, who has them and what they grant, on the wire."""

from typing import Any, ClassVar

from rest_framework import serializers

from core.fields import IdListField
from organisations.models import MasterKey
from organisations.serializers.grants import GroupField, MemberField, OfOrganisationField
from permissions.catalogue import Level, permissions_at
from permissions.models import Role
from permissions.serializers import PermissionKeysField, TaggedPermissionSerializer, refuse_unknown
from permissions.services import tags_of_projects
from permissions.targets import project_id_of


class OrganisationRoleSerializer(serializers.ModelSerializer):
    """A role: a name for permissions that users, groups and master keys are given together."""

    tags = IdListField(required=False)

    class Meta:
        model = Role
        fields = ["id", "name", "description", "organisation", "tags"]
        read_only_fields = ["organisation"]


class InRoleSerializer(serializers.Serializer):
    """Something of one role, which is in the serializer's context."""

    id = serializers.IntegerField(read_only=True)
    role = serializers.IntegerField(source="role_id", read_only=True)


class RoleAssignmentSerializer(InRoleSerializer):
    """One who has a role. Subclasses add the `holder`."""

    holder: ClassVar[str]

    role_name = serializers.CharField(source="role.name", read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.holder in attrs:
            others = self.context["role"].assignments.filter(**{self.holder: attrs[self.holder]})
            if others.exclude(pk=getattr(self.instance, "pk", None)).exists():
                raise serializers.ValidationError("The role is assigned there already.")
        return attrs


class RoleUserSerializer(RoleAssignmentSerializer):
    holder = "user"

    user = MemberField()


class RoleGroupSerializer(RoleAssignmentSerializer):
    holder = "group"

    group = GroupField()


class RoleMasterKeySerializer(RoleAssignmentSerializer):
    holder = "master_key"

    master_api_key = OfOrganisationField(
        source="master_key",
        queryset=MasterKey.objects.filter(revoked=False),
        pk_field=serializers.UUIDField(),
    )


class RoleOrganisationPermissionsSerializer(InRoleSerializer):
    """What a role grants on its organisation."""

    permissions = PermissionKeysField(Level.ORGANISATION)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None and self.context["role"].organisationgrants.exists():
            raise serializers.ValidationError("The role has permissions here already. Change those.")
        return attrs


class RolePermissionsSerializer(InRoleSerializer):
    """What a role grants on one project or environment, which a subclass adds and which never changes."""

    level: ClassVar[Level]

    permissions = TaggedPermissionSerializer(many=True, required=False, source="tagged_permissions")
    admin = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        name = self.level.value
        target = attrs[name] if self.instance is None else getattr(self.instance, name)
        if self.instance is None and self.context["grants"].filter(**{name: target}).exists():
            raise serializers.ValidationError("The role has permissions here already. Change those.")
        given = attrs.pop("tagged_permissions", None)
        if given is not None or not self.partial:
            attrs["permissions"] = self._added_up(given or [], project_id_of(target))
        return attrs

    def _added_up(self, given: list[dict[str, Any]], project_id: int) -> dict[str, list[int]]:
        """Return permissions as grants hold them. What is named twice is held for the tags of both.

        Raises:
            ValidationError, InvalidInput: a key of another level, tags where there can be none or of other
                projects.
        """
        try:
            refuse_unknown((each["permission_key"] for each in given), self.level)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"permissions": error.detail}) from error
        taggable = {each.key for each in permissions_at(self.level) if each.supports_tag}
        added_up: dict[str, set[int]] = {}
        for each in given:
            key, tags = each["permission_key"], set(each.get("tags", ()))
            if tags and key not in taggable:
                reason = f"{key} can't be limited to features with certain tags."
                raise serializers.ValidationError({"permissions": [reason]})
            unlimited = not tags or added_up.get(key) == set()
            added_up[key] = set() if unlimited else added_up.get(key, set()) | tags
        tags_of_projects(set().union(*added_up.values()), project=project_id)
        return {key: sorted(tags) for key, tags in added_up.items()}

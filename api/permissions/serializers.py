"""Permissions on the wire."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from core.fields import IdListField, WholeItem
from permissions.catalogue import Level, permissions_at
from permissions.details import Details, Origin


class PermissionSerializer(serializers.Serializer):
    """A permission that can be granted."""

    key = serializers.CharField(read_only=True)
    description = serializers.CharField(read_only=True)
    supports_tag = serializers.BooleanField(
        read_only=True, help_text="Whether a grant can be limited to features with certain tags."
    )


class TagBasedPermissionsSerializer(serializers.Serializer):
    permissions = serializers.ListField(child=serializers.CharField(), read_only=True)
    tags = serializers.ListField(child=serializers.IntegerField(), read_only=True)


class GrantsSerializer(serializers.Serializer):
    """What the caller holds. An administrator holds everything, and no key is listed."""

    permissions = serializers.ListField(child=serializers.CharField(), read_only=True)
    admin = serializers.BooleanField(read_only=True)
    tag_based_permissions = TagBasedPermissionsSerializer(many=True, read_only=True)


class OriginatingGroupSerializer(serializers.Serializer):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)


class OriginatingRoleSerializer(OriginatingGroupSerializer):
    tags = serializers.ListField(
        child=serializers.IntegerField(), read_only=True, help_text="Those it is limited to; none: it isn't."
    )


class OriginsSerializer(serializers.Serializer):
    groups = OriginatingGroupSerializer(many=True, read_only=True)
    roles = OriginatingRoleSerializer(many=True, read_only=True)


class PermissionDetailSerializer(serializers.Serializer):
    """A permission that a user holds, and why."""

    permission_key = serializers.CharField(read_only=True)
    is_directly_granted = serializers.BooleanField(read_only=True)
    derived_from = OriginsSerializer(read_only=True)


class DetailedPermissionsSerializer(serializers.Serializer):
    """What a user holds and why: first being an administrator, then each permission."""

    admin = serializers.BooleanField(read_only=True)
    is_directly_granted = serializers.BooleanField(read_only=True)
    derived_from = OriginsSerializer(read_only=True)
    permissions = PermissionDetailSerializer(many=True, read_only=True)

    def to_representation(self, instance: Details) -> dict[str, Any]:
        return {
            "admin": instance.admin,
            **_shown(instance.admin_origin),
            "permissions": [
                {"permission_key": key, **_shown(origin)} for key, origin in instance.origins.items()
            ],
        }


def _shown(origin: Origin) -> dict[str, Any]:
    return {"is_directly_granted": origin.is_directly_granted, "derived_from": origin.derived_from}


class PermissionKeysField(serializers.ListField):
    """Keys of one level, held for all features: `["VIEW_PROJECT"]`. A grant maps them to no tags."""

    child = serializers.CharField()

    def __init__(self, level: Level, **options: Any) -> None:
        super().__init__(**options)
        self.level = level

    def to_internal_value(self, data: Any) -> dict[str, list[int]]:  # type: ignore[override]
        keys = super().to_internal_value(data)
        refuse_unknown(keys, self.level)
        return {key: [] for key in keys}

    def to_representation(self, data: Any) -> list[str]:
        return [each.key for each in permissions_at(self.level) if each.key in data]


class TaggedPermissionSerializer(WholeItem):
    """A permission of a role. With tags it is held only for features that carry one of them."""

    permission_key = serializers.CharField()
    tags = IdListField(required=False)


def refuse_unknown(keys: Iterable[str], level: Level) -> None:
    """Refuse keys that aren't in the catalogue of `level`.

    Raises:
        ValidationError: naming each.
    """
    known = {each.key for each in permissions_at(level)}
    if unknown := [key for key in keys if key not in known]:
        # Not all of what a stranger sent is worth repeating, and half characters fit in no answer.
        quoted = [f"{key:.100}".encode("utf-8", "replace").decode() for key in unknown[:20]]
        raise serializers.ValidationError(
            [f"{level.value.capitalize()}s have no permission '{key}'." for key in quoted]
        )

"""Permissions on the wire."""

from rest_framework import serializers


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

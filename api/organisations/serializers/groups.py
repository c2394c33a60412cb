"""Groups on the wire."""

from rest_framework import serializers

from core.fields import IdListField
from organisations.models import Group, GroupMembership


class GroupUserSerializer(serializers.ModelSerializer):
    """A user in a group, from the membership."""

    id = serializers.IntegerField(source="user.id")
    email = serializers.EmailField(source="user.email")
    first_name = serializers.CharField(source="user.first_name")
    last_name = serializers.CharField(source="user.last_name")
    last_login = serializers.DateTimeField(source="user.last_login", allow_null=True)
    group_admin = serializers.BooleanField(source="is_admin")

    class Meta:
        model = GroupMembership
        fields = ["id", "email", "first_name", "last_name", "last_login", "group_admin"]
        read_only_fields = fields


class GroupSerializer(serializers.ModelSerializer):
    """A group. Who is in it is changed by `add-users` and `remove-users` only."""

    users = GroupUserSerializer(source="memberships", many=True, read_only=True)

    class Meta:
        model = Group
        fields = ["id", "name", "users", "is_default", "external_id"]

    def validate_external_id(self, external_id: str | None) -> str | None:
        """Refuse a name that another group of the organisation has. Empty is none."""
        if not external_id:
            return None
        others = Group.objects.filter(organisation=self.context["view"].organisation, external_id=external_id)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError("A group with this external id already exists.")
        return external_id


class GroupSummarySerializer(serializers.ModelSerializer):
    class Meta:
        model = Group
        fields = ["id", "name"]
        read_only_fields = fields


class GroupUserIdsSerializer(serializers.Serializer):
    user_ids = IdListField()

"""Members on the wire."""

from typing import Any

from rest_framework import serializers

from core.fields import ChoiceField, IdField
from core.queries import QuerySerializer
from organisations.models import MemberRole, OrganisationMembership
from users.models import User


class MemberSerializer(serializers.ModelSerializer):
    """A member of an organisation, from the membership. `date_joined` is when the account was made."""

    id = serializers.IntegerField(source="user.id")
    email = serializers.EmailField(source="user.email")
    first_name = serializers.CharField(source="user.first_name")
    last_name = serializers.CharField(source="user.last_name")
    last_login = serializers.DateTimeField(source="user.last_login", allow_null=True)
    uuid = serializers.UUIDField(source="user.uuid")
    date_joined = serializers.DateTimeField(source="user.date_joined")

    class Meta:
        model = OrganisationMembership
        fields = ["id", "email", "first_name", "last_name", "last_login", "uuid", "role", "date_joined"]
        read_only_fields = fields


class MemberQuery(QuerySerializer):
    exclude_current = serializers.BooleanField(default=False, help_text="Leave out the caller.")


class RoleSerializer(serializers.Serializer):
    role = ChoiceField(MemberRole.choices)


class MemberIdListSerializer(serializers.ListSerializer):
    def to_internal_value(self, data: Any) -> list[dict[str, int]]:
        """Refuse ids that no user has: one query, and the reason beside the id that it is about."""
        items: list[dict[str, int]] = super().to_internal_value(data)
        known = set(User.objects.filter(pk__in={each["id"] for each in items}).values_list("pk", flat=True))
        errors = [{} if each["id"] in known else {"id": ["There is no user with this id."]} for each in items]
        if any(errors):
            raise serializers.ValidationError(errors)
        return items


class MemberIdSerializer(serializers.Serializer):
    id = IdField()

    class Meta:
        list_serializer_class = MemberIdListSerializer

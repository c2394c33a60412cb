"""Organisations and their members on the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.fields import ChoiceField, IdField
from core.queries import QuerySerializer
from organisations.models import MemberRole, Organisation, OrganisationMembership
from organisations.subscriptions import subscription_of
from users.models import User


class SubscriptionSerializer(serializers.Serializer):
    """An organisation's plan. Every organisation has the same, without limits."""

    id = serializers.IntegerField()
    uuid = serializers.UUIDField()
    deleted_at = serializers.DateTimeField(allow_null=True)
    has_active_billing_periods = serializers.BooleanField()
    subscription_id = serializers.CharField(allow_null=True)
    subscription_date = serializers.DateTimeField(allow_null=True)
    plan = serializers.CharField()
    max_seats = serializers.IntegerField()
    max_api_calls = serializers.IntegerField()
    cancellation_date = serializers.DateTimeField(allow_null=True)
    customer_id = serializers.CharField(allow_null=True)
    billing_status = serializers.CharField(allow_null=True)
    payment_method = serializers.CharField(allow_null=True)
    notes = serializers.CharField(allow_null=True)


class SubscriptionMetadataSerializer(serializers.Serializer):
    """The limits of an organisation's plan. Null means that there is none."""

    max_seats = serializers.IntegerField()
    max_api_calls = serializers.IntegerField()
    max_projects = serializers.IntegerField(allow_null=True)
    payment_source = serializers.CharField(allow_null=True)
    chargebee_email = serializers.EmailField(allow_null=True)
    feature_history_visibility_days = serializers.IntegerField(allow_null=True)
    audit_log_visibility_days = serializers.IntegerField(allow_null=True)


class OrganisationSerializer(serializers.ModelSerializer):
    """An organisation, as `selectors.organisations_of` reads it: `role` is the caller's."""

    num_seats = serializers.IntegerField(read_only=True)
    subscription = serializers.SerializerMethodField()
    role = serializers.ChoiceField(MemberRole.choices, read_only=True)

    class Meta:
        model = Organisation
        fields = [
            "id",
            "uuid",
            "name",
            "created_date",
            "webhook_notification_email",
            "num_seats",
            "subscription",
            "role",
            "persist_trait_data",
            "block_access_to_admin",
            "restrict_project_create_to_admin",
            "force_2fa",
        ]
        read_only_fields = ["persist_trait_data", "block_access_to_admin"]

    @extend_schema_field(SubscriptionSerializer)
    def get_subscription(self, organisation: Organisation) -> dict[str, Any]:
        return SubscriptionSerializer(subscription_of(organisation)).data


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

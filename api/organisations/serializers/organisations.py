"""Organisations on the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from organisations.models import MemberRole, Organisation
from organisations.serializers.billing import SubscriptionSerializer
from organisations.subscriptions import subscription_of


class OrganisationSerializer(serializers.ModelSerializer):
    """An organisation, as `selectors.organisations_of` reads it: `role` is the caller's."""

    num_seats = serializers.IntegerField(read_only=True)
    subscription = serializers.SerializerMethodField()
    role = serializers.ChoiceField(MemberRole.choices, read_only=True)
    targeting_key = serializers.CharField(
        max_length=64,
        required=False,
        write_only=True,
        help_text="Taken from clients that send it, and of no use here.",
    )

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
            "targeting_key",
        ]
        read_only_fields = ["persist_trait_data", "block_access_to_admin"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("targeting_key", None)
        return attrs

    @extend_schema_field(SubscriptionSerializer)
    def get_subscription(self, organisation: Organisation) -> dict[str, Any]:
        return SubscriptionSerializer(subscription_of(organisation)).data

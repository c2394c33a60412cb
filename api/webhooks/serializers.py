"""Deliveries of webhooks on the wire."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.fields import ChoiceField
from core.queries import QuerySerializer
from webhooks.models import Delivery, DeliveryStatus, EventType


class DeliveriesQuery(QuerySerializer):
    """Which deliveries are asked for."""

    status = ChoiceField(choices=DeliveryStatus.choices, required=False)
    event_type = ChoiceField(choices=EventType.choices, required=False)


class DeliverySerializer(serializers.ModelSerializer):
    """One event on its way to a webhook. Nothing of what the receiver said is kept, but for the status."""

    message_id = serializers.CharField(
        source="event.message_id",
        read_only=True,
        help_text="What `webhook-id` says, at each attempt the same.",
    )
    event_type = serializers.ChoiceField(EventType.choices, source="event.event_type", read_only=True)
    next_attempt_at = serializers.SerializerMethodField(help_text="Null where none is to come.")
    response_status = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="What the last attempt was answered with; null: nobody did.",
    )
    duration_ms = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="How long the last attempt took."
    )
    error = serializers.CharField(
        read_only=True, help_text="Why the last attempt failed; empty if it didn't."
    )

    class Meta:
        model = Delivery
        fields = [
            "id",
            "message_id",
            "event_type",
            "status",
            "attempts",
            "created_at",
            "last_attempt_at",
            "next_attempt_at",
            "finished_at",
            "response_status",
            "duration_ms",
            "error",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt_at(self, delivery: Delivery) -> str | None:
        if delivery.status != DeliveryStatus.PENDING:
            return None
        return serializers.DateTimeField().to_representation(delivery.next_attempt_at)


class DeliveryDetailSerializer(DeliverySerializer):
    """A delivery with what is sent."""

    payload = serializers.SerializerMethodField(help_text="Null where it is made when it is sent first.")

    class Meta(DeliverySerializer.Meta):
        fields = [*DeliverySerializer.Meta.fields, "payload"]
        read_only_fields = fields

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": True})
    def get_payload(self, delivery: Delivery) -> Any:
        return json.loads(delivery.event.body) if delivery.event.body else None


class ReplayedSerializer(serializers.Serializer):
    """How many deliveries will be sent again."""

    replayed = serializers.IntegerField(read_only=True)

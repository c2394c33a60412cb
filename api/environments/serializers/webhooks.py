"""Environments' webhooks on the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.fields import INT32_MAX, ChoiceField
from core.public_urls import PublicUrlValidator
from core.text import unstorable_text
from environments.models import EnvironmentWebhook


class EnvironmentWebhookSerializer(serializers.ModelSerializer):
    """Where changes are sent."""

    class Meta:
        model = EnvironmentWebhook
        fields = ["id", "url", "enabled", "secret", "created_at", "updated_at"]


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class KeyOrNumberField(serializers.Field):
    """An environment's client-side key, or an organisation's number, which may be sent as text."""

    default_error_messages = {"invalid": "Not a key, and not a number."}

    def to_internal_value(self, data: Any) -> str | int:
        is_key = isinstance(data, str) and unstorable_text(data) is None
        is_number = isinstance(data, int) and not isinstance(data, bool) and 0 < data <= INT32_MAX
        if not (is_key or is_number):
            self.fail("invalid")
        given: str | int = data
        return given

    def to_representation(self, value: str | int) -> str | int:
        return value


class WebhookScopeSerializer(serializers.Serializer):
    """Whose webhook it is."""

    type = ChoiceField(choices=["environment", "organisation"])
    id = KeyOrNumberField()


class WebhookTestSerializer(serializers.Serializer):
    """A webhook to be tried out, before it is kept or after."""

    webhook_url = serializers.CharField(max_length=200, validators=[PublicUrlValidator()])
    secret = serializers.CharField(
        max_length=255, required=False, allow_blank=True, allow_null=True, trim_whitespace=False
    )
    scope = WebhookScopeSerializer()


class WebhookTestOutcomeSerializer(serializers.Serializer):
    """How the receiver answered. Nothing of what it said is shown."""

    detail = serializers.CharField()
    body = serializers.CharField(required=False, help_text="What went wrong.")
    status = serializers.IntegerField(required=False, help_text="The status that it answered with.")

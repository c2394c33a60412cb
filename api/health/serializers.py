"""The health of features on the wire."""

from rest_framework import serializers

from core.fields import ChoiceField
from core.site import site_url
from health.models import HealthEvent, HealthProvider, ProviderName
from health.providers import ReasonSerializer
from health.services import signed_path


class HealthEventSerializer(serializers.ModelSerializer):
    reason = ReasonSerializer(allow_null=True)

    class Meta:
        model = HealthEvent
        fields = ["id", "created_at", "environment", "feature", "provider_name", "reason", "type"]
        read_only_fields = fields


class HealthProviderSerializer(serializers.ModelSerializer):
    """A provider, with the address that it sends its reports to."""

    name = ChoiceField(choices=ProviderName.choices)
    created_by = serializers.EmailField(
        source="created_by.email", read_only=True, allow_null=True, default=None
    )
    webhook_url = serializers.SerializerMethodField()

    class Meta:
        model = HealthProvider
        fields = ["created_by", "name", "project", "webhook_url"]
        read_only_fields = ["project"]

    def get_webhook_url(self, provider: HealthProvider) -> str:
        return f"{site_url(self.context.get('request'))}/api/v1/feature-health/{signed_path(provider)}"

"""Environments' webhooks on the wire."""

from rest_framework import serializers

from environments.models import EnvironmentWebhook


class EnvironmentWebhookSerializer(serializers.ModelSerializer):
    """Where changes are sent."""

    class Meta:
        model = EnvironmentWebhook
        fields = ["id", "url", "enabled", "secret", "created_at", "updated_at"]

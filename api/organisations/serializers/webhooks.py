"""Organisations' webhooks on the wire."""

from rest_framework import serializers

from organisations.models import OrganisationWebhook


class OrganisationWebhookSerializer(serializers.ModelSerializer):
    class Meta:
        model = OrganisationWebhook
        fields = ["id", "url", "enabled", "secret", "created_at", "updated_at"]

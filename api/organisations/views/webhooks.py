"""Organisations' webhooks."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import viewsets

from organisations.models import OrganisationWebhook
from organisations.scope import InOrganisation, InsufficientPrivileges
from organisations.serializers.webhooks import OrganisationWebhookSerializer
from organisations.services import create_webhook, delete_webhook, update_webhook
from permissions.catalogue import ADMIN


@extend_schema_view(list=extend_schema(operation_id="list_organisation_webhooks"))
class OrganisationWebhookViewSet(InOrganisation, viewsets.ModelViewSet):
    """Where an organisation is told of its changes."""

    serializer_class = OrganisationWebhookSerializer
    queryset = OrganisationWebhook.objects.all()
    lookup_value_converter = "int"
    read_permission = ADMIN
    refusal = InsufficientPrivileges

    def get_queryset(self) -> QuerySet[OrganisationWebhook]:
        return OrganisationWebhook.objects.filter(organisation=self.organisation)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_webhook(self.organisation, **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        update_webhook(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: OrganisationWebhook) -> None:
        delete_webhook(instance)

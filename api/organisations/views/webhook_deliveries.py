"""What was sent to organisations' webhooks."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view

from organisations.models import OrganisationWebhook
from organisations.scope import InOrganisation, InsufficientPrivileges
from permissions.catalogue import ADMIN
from webhooks.recipients import Recipient
from webhooks.serializers import DeliveriesQuery, DeliveryDetailSerializer, ReplayedSerializer
from webhooks.views import DeliveryLog


@extend_schema_view(
    list=extend_schema(operation_id="list_organisation_webhook_deliveries", parameters=[DeliveriesQuery]),
    retrieve=extend_schema(operation_id="get_organisation_webhook_delivery"),
    replay=extend_schema(
        operation_id="replay_organisation_webhook_delivery",
        request=None,
        responses={202: DeliveryDetailSerializer},
    ),
    replay_failed=extend_schema(
        operation_id="replay_failed_organisation_webhook_deliveries",
        request=None,
        responses={202: ReplayedSerializer},
    ),
)
class OrganisationWebhookDeliveryViewSet(InOrganisation, DeliveryLog):
    """Deliveries to one webhook: for administrators of the organisation."""

    read_permission = ADMIN
    refusal = InsufficientPrivileges

    @property
    def recipient(self) -> Recipient:
        webhook = get_object_or_404(
            OrganisationWebhook, organisation=self.organisation, pk=self.kwargs["webhook_pk"]
        )
        return Recipient("organisation", webhook.pk)

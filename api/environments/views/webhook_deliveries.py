"""What was sent to environments' webhooks."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view

from environments.models import EnvironmentWebhook
from environments.scope import InEnvironment
from webhooks.recipients import Recipient
from webhooks.serializers import DeliveriesQuery, DeliveryDetailSerializer, ReplayedSerializer
from webhooks.views import DeliveryLog


@extend_schema_view(
    list=extend_schema(operation_id="list_environment_webhook_deliveries", parameters=[DeliveriesQuery]),
    retrieve=extend_schema(operation_id="get_environment_webhook_delivery"),
    replay=extend_schema(
        operation_id="replay_environment_webhook_delivery",
        request=None,
        responses={202: DeliveryDetailSerializer},
    ),
    replay_failed=extend_schema(
        operation_id="replay_failed_environment_webhook_deliveries",
        request=None,
        responses={202: ReplayedSerializer},
    ),
)
class EnvironmentWebhookDeliveryViewSet(InEnvironment, DeliveryLog):
    """Deliveries to one webhook: for all who see the environment; its administrators replay."""

    @property
    def recipient(self) -> Recipient:
        webhook = get_object_or_404(
            EnvironmentWebhook, environment=self.environment, pk=self.kwargs["webhook_pk"]
        )
        return Recipient("environment", webhook.pk)

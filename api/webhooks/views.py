"""The log of a webhook's deliveries. Views above this app say whose webhook it is, and who may look."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from webhooks.exceptions import NotReplayableError
from webhooks.models import Delivery
from webhooks.recipients import Recipient
from webhooks.serializers import DeliveriesQuery, DeliveryDetailSerializer, DeliverySerializer
from webhooks.services import replay


class DeliveryLog(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """What was sent to one webhook, newest first, and what couldn't be delivered: that may be sent again."""

    queryset = Delivery.objects.all()
    lookup_value_converter = "int"

    @property
    def recipient(self) -> Recipient:
        """The webhook in the path.

        Raises:
            Http404: there is none in what the path names.
        """
        raise NotImplementedError

    def get_serializer_class(self) -> type[DeliverySerializer]:
        return DeliverySerializer if self.action in {"list", "replay_failed"} else DeliveryDetailSerializer

    def get_queryset(self) -> QuerySet[Delivery]:
        deliveries = Delivery.objects.filter(self.recipient.rows).select_related("event")
        if self.action != "list":
            return deliveries
        query = DeliveriesQuery.read(self.request)
        if "status" in query:
            deliveries = deliveries.filter(status=query["status"])
        if "event_type" in query:
            deliveries = deliveries.filter(event__event_type=query["event_type"])
        return deliveries.order_by("-pk")

    @action(detail=True, methods=["post"])
    def replay(self, request: Request, *args: Any, **path: Any) -> Response:
        """Send once more what failed or was discarded, as the same message."""
        delivery = self.get_object()
        if not replay(Delivery.objects.filter(pk=delivery.pk)):
            raise NotReplayableError
        return Response(self.get_serializer(self.get_object()).data, status=status.HTTP_202_ACCEPTED)

    @action(detail=False, methods=["post"], url_path="replay")
    def replay_failed(self, request: Request, *args: Any, **path: Any) -> Response:
        """Send once more all that failed."""
        failed = Delivery.objects.filter(self.recipient.rows).failed()
        return Response({"replayed": replay(failed)}, status=status.HTTP_202_ACCEPTED)

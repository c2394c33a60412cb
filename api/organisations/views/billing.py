"""What dashboards ask about plans and their limits. There are none of either."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput
from organisations.models import Organisation
from organisations.scope import InOrganisation
from organisations.serializers.billing import (
    ApiUsageNotificationSerializer,
    NoSubscriptionSerializer,
    SubscriptionUpdateSerializer,
    UpgradeSerializer,
)
from permissions.catalogue import ADMIN, MEMBER


class BillingView(InOrganisation, generics.GenericAPIView):
    """Refuses: nobody is billed here."""

    read_permission = ADMIN

    def refuse(self) -> InvalidInput:
        return InvalidInput({"detail": "Organisation has no subscription"})


class PortalUrlView(BillingView):
    @extend_schema(operation_id="get_billing_portal_url", responses={400: NoSubscriptionSerializer})
    def get(self, request: Request, **path: Any) -> Response:
        """Refuse: there is no portal."""
        raise self.refuse()


class UpgradeUrlView(BillingView):
    @extend_schema(
        operation_id="get_subscription_upgrade_url",
        request=UpgradeSerializer,
        responses={400: NoSubscriptionSerializer},
    )
    def post(self, request: Request, **path: Any) -> Response:
        """Refuse: there is nothing to upgrade to."""
        UpgradeSerializer(data=request.data).is_valid(raise_exception=True)
        raise self.refuse()


class UpdateSubscriptionView(BillingView):
    @extend_schema(
        operation_id="update_subscription",
        request=SubscriptionUpdateSerializer,
        responses={400: NoSubscriptionSerializer},
    )
    def post(self, request: Request, **path: Any) -> Response:
        """Refuse: there is no subscription to change."""
        SubscriptionUpdateSerializer(data=request.data).is_valid(raise_exception=True)
        raise self.refuse()


class ApiUsageNotificationView(InOrganisation, generics.ListAPIView):
    """Warnings that a plan's requests are nearly used up. There is no limit, so there are none."""

    read_permission = MEMBER
    serializer_class = ApiUsageNotificationSerializer
    queryset = Organisation.objects.none()

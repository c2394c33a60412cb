"""Trying webhooks out."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.outgoing import CallFailedError
from environments.models import Environment
from environments.scope import environment_with
from environments.serializers.webhooks import (
    WebhookScopeSerializer,
    WebhookTestOutcomeSerializer,
    WebhookTestSerializer,
)
from environments.webhook_tests import try_webhook
from organisations.models import Organisation
from permissions.access import may
from permissions.catalogue import ADMIN

_ADVICE = "Make sure that the URL is right, and that the server behind it runs and can be reached from here."


class WebhookTestView(GenericAPIView):
    """Posts an example to a URL, for administrators of the environment or organisation that it is for."""

    permission_classes = [IsAuthenticated]
    serializer_class = WebhookTestSerializer

    @extend_schema(
        operation_id="test_webhook",
        responses={200: WebhookTestOutcomeSerializer, 400: WebhookTestOutcomeSerializer},
    )
    def post(self, request: Request) -> Response:
        """Tell how a webhook's receiver answers. Whatever is no 2xx is a failure."""
        target = self._target(request.data)
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        url, secret = wanted.validated_data["webhook_url"], wanted.validated_data.get("secret") or ""
        try:
            answer = try_webhook(url, secret, target)
        except CallFailedError as error:
            unreached = {"detail": "Could not connect to webhook URL", "body": f"{error} {_ADVICE}"}
            return Response(unreached, status=400)
        if answer.is_success:
            return Response({"detail": "Webhook test successful", "status": answer.status})
        outcome = {
            "detail": "Webhook returned error status",
            "body": f"Webhook returned HTTP {answer.status}.",
            "status": answer.status,
        }
        return Response(outcome, status=400)

    def _target(self, data: Any) -> Environment | Organisation:
        """Return the environment or organisation that the request names.

        Raises:
            PermissionDenied: it names none, or one that the caller doesn't administer.
        """
        scope = WebhookScopeSerializer(data=data.get("scope") if isinstance(data, dict) else None)
        target = _named(scope.validated_data) if scope.is_valid() else None
        if target is None or not may(self.request.user, ADMIN, target):
            raise PermissionDenied
        return target


def _named(scope: dict[str, Any]) -> Environment | Organisation | None:
    if scope["type"] == "environment":
        return environment_with(str(scope["id"]))
    number = str(scope["id"])
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    organisation: Organisation | None = Organisation.objects.filter(pk=int(number)).first()
    return organisation

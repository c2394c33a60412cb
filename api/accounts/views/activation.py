"""Activating an account by a link in a mail."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.serializers.links import ActivationSerializer
from accounts.serializers.passwords import EmailSerializer
from accounts.services.activation import activate
from accounts.tasks import send_activation_again
from core.site import site_url
from tasks.services import enqueue


class ActivationView(generics.GenericAPIView):
    serializer_class = ActivationSerializer
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="activate_user", responses={204: None})
    def post(self, request: Request) -> Response:
        """Activate an account, by the link in a mail."""
        link = ActivationSerializer(data=request.data)
        link.is_valid(raise_exception=True)
        activate(link.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResendActivationView(generics.GenericAPIView):
    serializer_class = EmailSerializer
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="resend_activation", responses={204: None})
    def post(self, request: Request) -> Response:
        """Ask for the activation mail again. The answer doesn't say whether an account waits for it."""
        if not settings.ENABLE_EMAIL_ACTIVATION:
            return Response(status=status.HTTP_400_BAD_REQUEST)
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        email = asked.validated_data["email"]
        enqueue(send_activation_again, arguments={"email": email, "site_url": site_url(request)})
        return Response(status=status.HTTP_204_NO_CONTENT)

"""Changing one's password, and getting a new one by mail."""

from typing import cast

from django.http import HttpRequest, HttpResponseRedirect
from django.views import View
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.serializers.passwords import (
    EmailSerializer,
    ResetPasswordConfirmSerializer,
    SetPasswordSerializer,
)
from accounts.services.passwords import change_password, reset_password
from accounts.tasks import send_password_reset
from core.site import site_url
from tasks.services import enqueue
from users.models import User


class SetPasswordView(generics.GenericAPIView):
    serializer_class = SetPasswordSerializer

    @extend_schema(operation_id="set_password", responses={204: None})
    def post(self, request: Request) -> Response:
        """Change the caller's password. All of their sessions end, this one too."""
        passwords = self.get_serializer(data=request.data)
        passwords.is_valid(raise_exception=True)
        change_password(cast(User, request.user), passwords.validated_data["new_password"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResetPasswordView(generics.GenericAPIView):
    serializer_class = EmailSerializer
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="reset_password", responses={204: None})
    def post(self, request: Request) -> Response:
        """Ask for a mail with a link on which a new password can be chosen.

        The answer is the same, and as fast, whether anybody has that address or not: it is looked up when
        the answer is on its way.
        """
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        email = asked.validated_data["email"]
        enqueue(send_password_reset, arguments={"email": email, "site_url": site_url(request)})
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResetPasswordConfirmView(generics.GenericAPIView):
    serializer_class = ResetPasswordConfirmSerializer
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="reset_password_confirm", responses={204: None})
    def post(self, request: Request) -> Response:
        """Choose a new password, by the link in a mail."""
        chosen = ResetPasswordConfirmSerializer(data=request.data)
        chosen.is_valid(raise_exception=True)
        reset_password(chosen.user, chosen.validated_data["token"], chosen.validated_data["new_password"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordResetPage(View):
    def get(self, request: HttpRequest, uid: str, token: str) -> HttpResponseRedirect:
        """Lead from the link in a mail to the dashboard's page for it."""
        return HttpResponseRedirect(f"{site_url(request)}/password-reset/{uid}/{token}")

"""Registering."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.authtoken.models import Token
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import cookies
from accounts.gates import sign_up_permissions
from accounts.serializers.registration import RegistrationSerializer
from accounts.services.registration import register_user
from core.throttling import ScopedThrottle


@extend_schema_view(post=extend_schema(operation_id="register_user"))
class RegistrationView(generics.CreateAPIView):
    """Makes an account, and signs it in."""

    serializer_class = RegistrationSerializer
    authentication_classes = []
    throttle_classes = [ScopedThrottle]
    throttle_scope = "signup"

    def get_permissions(self) -> list[Any]:
        return sign_up_permissions()

    def create(self, request: Request, *args: Any, **path: Any) -> Response:
        """Answer with the account and its token; in cookie mode with the account and a cookie."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.instance = user = register_user(**serializer.validated_data)
        Token.objects.create(user=user)
        response = Response(serializer.data, status=status.HTTP_201_CREATED)
        if settings.COOKIE_AUTH_ENABLED:
            del response.data["key"]
            cookies.set_on(response, user)
        return response

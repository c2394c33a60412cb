"""Registering."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.authtoken.models import Token
from rest_framework.throttling import ScopedRateThrottle

from accounts.gates import sign_up_permissions
from accounts.serializers.registration import RegistrationSerializer
from accounts.services.registration import register_user


@extend_schema_view(post=extend_schema(operation_id="register_user"))
class RegistrationView(generics.CreateAPIView):
    """Makes an account, and signs it in."""

    serializer_class = RegistrationSerializer
    authentication_classes = []
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "signup"

    def get_permissions(self) -> list[Any]:
        return sign_up_permissions()

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = register_user(**serializer.validated_data)
        Token.objects.create(user=serializer.instance)

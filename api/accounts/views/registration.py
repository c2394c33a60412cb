"""Registering."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import cookies
from accounts.gates import sign_up_permissions
from accounts.serializers.registration import RegistrationSerializer
from accounts.services.registration import register_user
from core.site import site_url
from core.throttling import ScopedThrottle


@extend_schema_view(post=extend_schema(operation_id="register_user"))
class RegistrationView(generics.CreateAPIView):
    """Makes an account, and signs it in."""

    serializer_class = RegistrationSerializer
    throttle_classes = [ScopedThrottle]
    throttle_scope = "signup"

    def get_authenticators(self) -> list[BaseAuthentication]:
        # Credentials that a registration brings along mean nothing, so stale ones do no harm.
        return super().get_authenticators() if self._is_list else []

    def get_permissions(self) -> list[Any]:
        return list(super().get_permissions()) if self._is_list else sign_up_permissions()

    @property
    def _is_list(self) -> bool:
        return self.request is not None and self.request.method in {"GET", "HEAD"}

    def http_method_not_allowed(  # type: ignore[override]  # REST framework's has its own request
        self, request: Request, *args: Any, **path: Any
    ) -> Response:
        if self._is_list:
            raise NotFound  # users aren't shown to each other here
        return super().http_method_not_allowed(request, *args, **path)

    def create(self, request: Request, *args: Any, **path: Any) -> Response:
        """Answer with the account and its token; in cookie mode with the account and a cookie."""
        cookies.check_page(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.instance = user = register_user(**serializer.validated_data, site_url=site_url(request))
        Token.objects.create(user=user)
        response = Response(serializer.data, status=status.HTTP_201_CREATED)
        if settings.COOKIE_AUTH_ENABLED:
            del response.data["key"]
            cookies.set_on(response, user)
        return response

"""The key of the service routes, and who comes with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import problem_handler


@dataclass(frozen=True)
class ServiceClient:
    """Who has the key: `AUTH_ALLOWED_CLIENT`. Nobody to any other route."""

    name: str
    is_authenticated = True
    is_active = True
    is_staff = False
    is_superuser = False
    pk = None

    def __str__(self) -> str:
        return self.name


def has_key(request: HttpRequest | Request) -> bool:
    """Whether the request brings the key. Takes the same time whatever it brings."""
    given = request.headers.get(settings.AUTH_HEADER, "")
    return bool(settings.AUTH_KEY) and constant_time_compare(given, settings.AUTH_KEY)


class ServiceKeyAuthentication(BaseAuthentication):
    """The header that `AUTH_HEADER` names, with `AUTH_KEY` in it."""

    def authenticate(self, request: Request) -> tuple[ServiceClient, None] | None:
        if settings.AUTH_HEADER not in request.headers:
            return None
        if not has_key(request):
            raise AuthenticationFailed("Wrong key.")
        return ServiceClient(settings.AUTH_ALLOWED_CLIENT), None

    def authenticate_header(self, request: Request) -> str:
        return f'{settings.AUTH_HEADER} realm="services"'


class ServiceKeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names it."""

    target_class = ServiceKeyAuthentication
    name = "serviceKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-AUTH-API-KEY"}


class ServiceView(APIView):
    """A route that is there only where there is a key for it."""

    authentication_classes = [ServiceKeyAuthentication]

    def is_there(self) -> bool:
        return bool(settings.AUTH_KEY)

    def initial(self, request: Request, *args: Any, **path: Any) -> None:
        if not self.is_there():
            raise NotFound
        super().initial(request, *args, **path)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return problem_handler

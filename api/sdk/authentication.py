"""Who reads flags: whoever holds a key of the environment (the Flagsmith SDK contract, "Authentication").

A client-side key is the environment's own and may be seen by anyone who uses an app; a key that
begins with `ser.` is a secret of servers. What is wrong with a key is always a 403, never a 401.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from environments.models import Environment, ServerSideKey

KEY_HEADER = "X-Environment-Key"
SERVER_SIDE_PREFIX = "ser."
LONGEST_KEY = 100

# Old SDKs compare these texts: only the second has a capital K.
MISSING_KEY = "Invalid or missing Environment key"
UNKNOWN_KEY = "Invalid or missing Environment Key"
NOT_SERVING = "Organisation is disabled from serving flags."


@dataclass(frozen=True, slots=True)
class EnvironmentAccess:
    """What a key opens: one environment, with or without what only servers may see."""

    environment_id: int
    project_id: int
    is_server_side: bool


def environment_access(key: str | None) -> EnvironmentAccess:
    """Return what `key` opens. One query.

    Raises:
        PermissionDenied: there is no such key, it is switched off or has expired, what it belongs to is
            deleted, or the organisation has stopped serving flags.
    """
    if not key:
        raise PermissionDenied(MISSING_KEY)
    if len(key) > LONGEST_KEY or "\0" in key:
        raise PermissionDenied(UNKNOWN_KEY)
    environments = Environment.objects.filter(
        project__deleted_at__isnull=True, project__organisation__deleted_at__isnull=True
    )
    is_server_side = key.startswith(SERVER_SIDE_PREFIX)
    if is_server_side:
        usable = ServerSideKey.objects.usable().filter(key=key)
        environments = environments.filter(pk__in=usable.values("environment_id"))
    else:
        environments = environments.filter(api_key=key)
    found = environments.values_list("id", "project_id", "project__organisation__stop_serving_flags").first()
    if found is None:
        raise PermissionDenied(UNKNOWN_KEY)
    environment_id, project_id, stopped = found
    if stopped:
        raise PermissionDenied(NOT_SERVING)
    return EnvironmentAccess(environment_id, project_id, is_server_side)


class EnvironmentKeyAuthentication(BaseAuthentication):
    """Reads `X-Environment-Key`; `request.auth` is then the `EnvironmentAccess`.

    It has no `WWW-Authenticate` to offer, and an `Authorization` header means nothing to it.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, EnvironmentAccess]:
        return AnonymousUser(), environment_access(request.headers.get(KEY_HEADER))


class ServerSideKeyAuthentication(EnvironmentKeyAuthentication):
    """Takes keys of servers only."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, EnvironmentAccess]:
        if not request.headers.get(KEY_HEADER, "").startswith(SERVER_SIDE_PREFIX):
            raise PermissionDenied(MISSING_KEY)
        return super().authenticate(request)


class EnvironmentKeyScheme(OpenApiAuthenticationExtension):
    """How the API's description names the header."""

    target_class = EnvironmentKeyAuthentication
    name = "environmentKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": KEY_HEADER}


class ServerSideKeyScheme(EnvironmentKeyScheme):
    target_class = ServerSideKeyAuthentication
    name = "serverSideKey"

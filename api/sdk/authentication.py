"""Who reads flags: whoever holds a key of the environment (the Flagsmith SDK contract, "Authentication").

A client-side key is the environment's own and may be seen by anyone who uses an app; a key that
begins with `ser.` is a secret of servers. What is wrong with a key is always a 403, never a 401.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.request import Request

from sdk.keys import (
    MISSING_KEY,
    NOT_SERVING,
    SERVER_SIDE_PREFIX,
    UNKNOWN_KEY,
    KeyRefused,
    KeyUnchecked,
    is_server_side,
    key_name,
)
from sdk.lookup import find
from sdk.store import snapshots

KEY_HEADER = "X-Environment-Key"


@dataclass(frozen=True, slots=True)
class EnvironmentAccess:
    """What a key opens: one environment, with or without what only servers may see."""

    environment_id: int
    project_id: int
    is_server_side: bool


class KeyNotChecked(APIException):
    """503: whether the key opens anything can't be said at the moment."""

    status_code = 503

    def __init__(self, unchecked: KeyUnchecked) -> None:
        super().__init__(str(unchecked))
        self.wait = unchecked.retry_after_seconds  # rendered as Retry-After


def environment_access(key: str | None) -> EnvironmentAccess:
    """Return what `key` opens. At most one query when it is at hand.

    Raises:
        PermissionDenied: there is no such key, it is switched off or has expired, what it belongs to is
            deleted, or the organisation has stopped serving flags.
        KeyNotChecked: the database is away.
    """
    try:
        return access_of(key or "")
    except KeyRefused as refused:
        raise PermissionDenied(str(refused)) from refused
    except KeyUnchecked as unchecked:
        raise KeyNotChecked(unchecked) from unchecked


def access_of(key: str) -> EnvironmentAccess:
    """Return what `key` opens.

    Raises:
        KeyRefused, KeyUnchecked: as `environment_access` tells it.
    """
    return _access_from_memory(key) if snapshots.is_fed else _access_from_database(key)


def _access_from_memory(key: str) -> EnvironmentAccess:
    access = snapshots.open(key)
    snapshot = access.snapshot
    return EnvironmentAccess(snapshot.environment_id, snapshot.project_id, access.is_server_side)


def _access_from_database(key: str) -> EnvironmentAccess:
    name = key_name(key)
    found = find(key)
    if found is None:
        raise KeyRefused(UNKNOWN_KEY)
    if found.has_stopped_serving:
        raise KeyRefused(NOT_SERVING)
    return EnvironmentAccess(found.environment_id, found.project_id, is_server_side(name))


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

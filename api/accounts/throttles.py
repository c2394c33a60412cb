"""Limits on signing in by account: many addresses together don't get further than one."""

from typing import Any

from rest_framework.request import Request

from core.throttling import SharedRateThrottle


class AccountThrottle(SharedRateThrottle):
    """The rate of logins, for each e-mail address that is tried."""

    scope = "login"

    def counted_by(self, request: Request) -> str | None:
        return _text(request.data, "email")


class CodeThrottle(SharedRateThrottle):
    """The rate of second factors, for each account that one is tried for."""

    scope = "mfa_code"

    def counted_by(self, request: Request) -> str | None:
        token = _text(request.data, "ephemeral_token")
        return token and token.partition("-")[0]


def _text(data: Any, name: str) -> str | None:
    """Return a field in lower case; None where it isn't there, or no text, which the view refuses."""
    value = data.get(name) if hasattr(data, "get") else None
    return value.strip().lower() if isinstance(value, str) else None

"""Locking an account after repeated failures, at every door alike.

django-axes counts, and refuses. Its back end stands before the one that looks at passwords, and would
answer at once where an account is locked: here that takes as long as a wrong password.
"""

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import user_login_failed
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from accounts.methods import PASSWORD, is_allowed


def attempted_account(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str:
    """Return the e-mail address that was tried, in lower case.

    The admin's form sends it as `username`, the API as `email`; sign-in ignores letter case, so the
    counter has to.
    """
    given = credentials or (request.POST if request is not None else {})
    return str(given.get("username") or given.get("email") or "").strip().lower()


class LockoutBackend(AxesStandaloneBackend):  # type: ignore[misc]  # axes has no types
    """Refuses whom no password lets in, with the work that a wrong password costs."""

    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **given: Any
    ) -> None:
        """Let the next back end decide, if it may.

        Raises:
            PermissionDenied: the account is locked, or addresses of its domain sign in otherwise.
        """
        email = attempted_account(request, {"username": username, **given})
        try:
            if not is_allowed(email, PASSWORD):
                raise PermissionDenied
            super().authenticate(request, username, password, **given)
        except PermissionDenied:
            make_password(password)
            raise


def is_locked(request: Request | HttpRequest, email: str) -> bool:
    return settings.AXES_ENABLED and not AxesProxyHandler.is_allowed(request, {"username": email})


def count_failure(request: Request | HttpRequest, email: str) -> None:
    """Count a failure that no password has to do with: a wrong second factor."""
    user_login_failed.send(sender=__name__, credentials={"username": email}, request=request)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: Mapping[str, Any] | None
) -> HttpResponse:
    """What /admin/ answers."""
    wait = timedelta(hours=settings.AXES_COOLOFF_TIME)
    return HttpResponse(
        "This account is locked after too many failed attempts to sign in. Try again later.",
        content_type="text/plain; charset=utf-8",
        status=429,
        headers={"Retry-After": str(max(math.ceil(wait.total_seconds()), 1))},
    )

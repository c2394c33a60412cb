"""Which account a failed sign-in counts against."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest


def attempted_account(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str:
    """Return the e-mail address that was tried, in lower case.

    The admin's form sends it as `username`, the API as `email`; sign-in ignores letter case, so the
    counter has to.
    """
    given = credentials or (request.POST if request is not None else {})
    return str(given.get("username") or given.get("email") or "").strip().lower()

"""System checks: settings of the server that must not be combined."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def check_there_is_a_key_to_require(**options: Any) -> list[CheckMessage]:
    """Find a server that refuses everyone."""
    if not settings.REQUIRE_AUTH_KEY or settings.AUTH_KEY:
        return []
    return [
        Error(
            "REQUIRE_AUTH_KEY is on and there is no AUTH_KEY: nobody can use this server.",
            hint="Set AUTH_KEY, or switch REQUIRE_AUTH_KEY off.",
            id="core.E001",
        )
    ]

"""System checks: settings of the server that must not be combined."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


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


@register()
def check_nothing_is_expected_of_what_is_gone(**options: Any) -> list[CheckMessage]:
    """Find variables of services that there are no more."""
    names = [
        name
        for name in ("GOOGLE_ANALYTICS_KEY", "GOOGLE_SERVICE_ACCOUNT", "GA_TABLE_ID")
        if getattr(settings, name)
    ]
    if not names:
        return []
    return [
        Warning(
            f"{', '.join(names)}: Google has switched Universal Analytics off, and nothing is sent there.",
            hint="Requests and evaluations are counted in the database; PROMETHEUS_ENABLED shows more.",
            id="core.W001",
        )
    ]

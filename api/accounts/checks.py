"""System checks: settings of accounts that must not be combined."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from accounts.gates import sign_in_permissions, sign_up_permissions


@register(Tags.security)
def check_cookies_are_for_known_origins(**options: Any) -> list[CheckMessage]:
    """Find cookies that every website could use to read what a signed-in user can."""
    if not (settings.CORS_ALLOW_ALL_ORIGINS and settings.CORS_ALLOW_CREDENTIALS):
        return []
    return [
        Warning(
            "Browsers send cookies from pages of every origin, and let these read the answers.",
            hint="Name the dashboard's origin in CORS_ALLOWED_ORIGINS and unset CORS_ORIGIN_ALLOW_ALL.",
            id="accounts.W001",
        )
    ]


@register(Tags.security)
def check_browsers_keep_cookies(**options: Any) -> list[CheckMessage]:
    """Find cookies that browsers refuse to keep."""
    if settings.COOKIE_SAME_SITE != "None" or settings.USE_SECURE_COOKIES:
        return []
    return [
        Warning(
            "Browsers refuse cookies with SameSite=None that aren't secure.",
            hint="Switch USE_SECURE_COOKIES on, or set COOKIE_SAME_SITE to lax.",
            id="accounts.W002",
        )
    ]


@register(Tags.security)
def check_gates_exist(**options: Any) -> list[CheckMessage]:
    """Find names of permission classes that there are none of."""
    gates = {"USER_CREATE_PERMISSIONS": sign_up_permissions, "USER_LOGIN_PERMISSIONS": sign_in_permissions}
    errors: list[CheckMessage] = []
    for variable, permissions in gates.items():
        try:
            permissions()
        except (ImportError, TypeError) as error:
            errors.append(Error(f"{variable} names what is no permission class. {error}", id="accounts.E001"))
    return errors

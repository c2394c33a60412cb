"""System checks: settings of accounts that must not be combined."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from accounts.gates import sign_in_permissions, sign_up_permissions
from accounts.methods import GITHUB, GOOGLE, PASSWORD, oidc


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
def check_oidc_providers_are_complete(**options: Any) -> list[CheckMessage]:
    """Find providers that nobody can sign in with."""
    return [
        Warning(
            f"Nobody can sign in with the OpenID Connect provider '{provider['slug']}'.",
            hint=f"It needs OIDC_{provider['slug'].upper().replace('-', '_')}_ISSUER and …_CLIENT_ID.",
            id="accounts.W003",
        )
        for provider in settings.OIDC_PROVIDERS
        if not (provider["issuer"] and provider["client_id"])
    ]


@register(Tags.security)
def check_domains_have_ways_that_exist(**options: Any) -> list[CheckMessage]:
    """Find domains whose addresses are told to sign in in a way that there isn't."""
    known = {PASSWORD, GOOGLE, GITHUB, *(oidc(provider["slug"]) for provider in settings.OIDC_PROVIDERS)}
    return [
        Warning(
            f"SIGN_IN_METHODS_BY_DOMAIN has unknown ways for {domain}: {', '.join(unknown)}.",
            hint=f"There are: {', '.join(sorted(known))}.",
            id="accounts.W004",
        )
        for domain, methods in settings.SIGN_IN_METHODS_BY_DOMAIN.items()
        if (unknown := [method for method in methods if method not in known])
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

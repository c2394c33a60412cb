"""Ways to sign in, and which of them the addresses of a domain may use.

`SIGN_IN_METHODS_BY_DOMAIN` says for example `acme.com=oidc:acme`: then nobody with an address at acme.com
signs up or in with a password, or with Google. Every way asks here, also for accounts that exist already.
"""

from django.conf import settings
from rest_framework.exceptions import PermissionDenied

PASSWORD = "password"  # noqa: S105  # the name of a way
GOOGLE = "google"
GITHUB = "github"


def oidc(slug: str) -> str:
    """Return the name of the way through an OpenID Connect provider."""
    return f"oidc:{slug}"


def is_allowed(email: str, method: str) -> bool:
    allowed = settings.SIGN_IN_METHODS_BY_DOMAIN.get(_domain(email))
    return allowed is None or method in allowed


def check_method(email: str, method: str) -> None:
    """Refuse a way that isn't for the addresses of this domain.

    Raises:
        PermissionDenied: it isn't. The message says which ways are.
    """
    if not is_allowed(email, method):
        domain = _domain(email)
        ways = ", ".join(settings.SIGN_IN_METHODS_BY_DOMAIN[domain])
        raise PermissionDenied(f"Addresses at {domain} sign in with: {ways}.")


def _domain(email: str) -> str:
    return email.strip().rpartition("@")[2].rstrip(".").lower()

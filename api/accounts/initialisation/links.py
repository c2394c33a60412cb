"""The link by which a person chooses their password."""

from django.http import HttpRequest

from accounts.links import password_reset_link
from core.site import site_url
from users.models import User


def password_link(user: User, request: HttpRequest | None = None) -> str:
    """Return where `user` chooses a password: once, and within `PASSWORD_RESET_TIMEOUT`."""
    return password_reset_link(user, site_url=site_url(request))

"""The link by which a person chooses their password."""

from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from core.site import site_url
from users.models import User


def password_link(user: User, request: HttpRequest | None = None) -> str:
    """Return where `user` chooses a password: once, and within `PASSWORD_RESET_TIMEOUT`.

    It has the form of the links in mails about forgotten passwords, so the same page serves both.
    """
    user_id = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    return f"{site_url(request)}/password-reset/confirm/{user_id}/{token}"

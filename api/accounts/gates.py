"""Who may make an account, and who may sign in with a password, by this installation's settings."""

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.methods import PASSWORD, check_method
from organisations.invitations import is_invited, is_invited_by_link
from users.models import SignUpType


def check_sign_up(
    *, email: str, sign_up_type: str | None, invite_hash: str | None, method: str = PASSWORD
) -> None:
    """Refuse an account that this installation doesn't take. Every way to a new account asks this first.

    Where accounts are for invited people only, they say themselves how they were invited: an invitation by
    mail counts for its address, one by link for whoever has the link's hash.

    Raises:
        PermissionDenied: `PREVENT_SIGNUP` is on; or addresses of this domain sign in otherwise than by
            `method`; or `ALLOW_REGISTRATION_WITHOUT_INVITE` is off, and there
            is no such invitation.
    """
    if settings.PREVENT_SIGNUP:
        raise PermissionDenied("Signing up is disabled.")
    check_method(email, method)
    if settings.ALLOW_REGISTRATION_WITHOUT_INVITE:
        return
    if sign_up_type == SignUpType.INVITE_EMAIL and is_invited(email):
        return
    if sign_up_type == SignUpType.INVITE_LINK and invite_hash and is_invited_by_link(invite_hash):
        return
    raise PermissionDenied("Signing up needs an invitation.")


class SignUpAllowed(BasePermission):
    """Refuses while `PREVENT_SIGNUP` is on."""

    message = "Signing up is disabled."

    def has_permission(self, request: Request, view: Any) -> bool:
        return not settings.PREVENT_SIGNUP


class PasswordSignInAllowed(BasePermission):
    """Refuses while `PREVENT_EMAIL_PASSWORD` is on."""

    message = "Signing in with a password is disabled."

    def has_permission(self, request: Request, view: Any) -> bool:
        return not settings.PREVENT_EMAIL_PASSWORD


def sign_up_permissions() -> list[BasePermission]:
    """Return what `POST users/` asks: `PREVENT_SIGNUP`, and the classes in `USER_CREATE_PERMISSIONS`."""
    return [SignUpAllowed(), *_permissions(settings.USER_CREATE_PERMISSIONS)]


def sign_in_permissions() -> list[BasePermission]:
    """Return what `POST login/` asks: `PREVENT_EMAIL_PASSWORD`, and those in `USER_LOGIN_PERMISSIONS`."""
    return [PasswordSignInAllowed(), *_permissions(settings.USER_LOGIN_PERMISSIONS)]


# Names that settings made for Flagsmith may have. What they ask is asked here always.
_ELSEWHERE = {
    "custom_auth.permissions.IsSignupAllowed": "accounts.gates.SignUpAllowed",
    "custom_auth.permissions.IsPasswordLoginAllowed": "accounts.gates.PasswordSignInAllowed",
}


def _permissions(paths: list[str]) -> list[BasePermission]:
    return [import_string(_ELSEWHERE.get(path, path))() for path in paths]

"""From a person at a provider to an account, and from a browser to a client of the API."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare
from rest_framework.exceptions import PermissionDenied

from accounts.external import Person, account_of
from accounts.methods import check_method
from accounts.oidc.models import OidcIdentity
from core.errors import InvalidInput
from users.models import User

CODE_SECONDS = 60
_SALT = "accounts.oidc.code"


@transaction.atomic
def account_of_identity(
    person: Person,
    *,
    sign_up_type: str | None = None,
    invite_hash: str | None = None,
    may_be_new: bool = True,
) -> tuple[User, bool]:
    """Return whose identity this is, and whether the account is new.

    An identity that is known is its user's, whatever address the provider has now. One that isn't becomes
    that of the account with its address: unless this account has another identity there, because then the
    address has changed hands.

    Raises:
        PermissionDenied: that, or nobody has this address and nobody new is taken, or as from
            `accounts.external.account_of`.
        NotVouchedFor: as from there.
    """
    known = OidcIdentity.objects.select_related("user").filter(method=person.method, subject=person.subject)
    identity = known.first()
    if identity is not None:
        check_method(identity.user.email, person.method)
        if not identity.user.is_active:
            raise PermissionDenied("This account is inactive.")
        return identity.user, False
    if not may_be_new and not User.objects.filter(email__iexact=person.email).exists():
        raise PermissionDenied("Nobody here has this address.")
    user, is_new = account_of(person, sign_up_type=sign_up_type, invite_hash=invite_hash)
    identity, _ = OidcIdentity.objects.get_or_create(
        user=user, method=person.method, defaults={"subject": person.subject}
    )
    if identity.subject != person.subject:
        raise PermissionDenied("This address belongs to another identity at the provider.")
    return user, is_new


def make_code(user: User, *, challenge: str, is_new: bool) -> str:
    """Return what a dashboard exchanges for a token, with the secret that only it knows."""
    return signing.dumps(
        {"user": user.pk, "state": _state_of(user), "challenge": challenge, "new": is_new}, salt=_SALT
    )


def user_of_code(code: str, verifier: str) -> tuple[User, bool]:
    """Return whose code this is, locked until the transaction ends, and whether their account is new.

    Raises:
        InvalidInput: it is forged, older than a minute, used already, or somebody else's.
    """
    try:
        content: dict[str, Any] = signing.loads(code, salt=_SALT, max_age=CODE_SECONDS)
    except signing.BadSignature:
        raise _invalid() from None
    user = User.objects.select_for_update(no_key=True).filter(pk=content["user"], is_active=True).first()
    if (
        user is None or _state_of(user) != content["state"]
    ):  # signing in changes it, so that a code works once
        raise _invalid()
    if not constant_time_compare(challenge_of(verifier), content["challenge"]):
        raise _invalid()
    return user, content["new"]


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of PKCE (RFC 7636) for a verifier."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode("ascii")


def _state_of(user: User) -> str:
    return f"{user.session_generation}|{user.last_login}"


def _invalid() -> InvalidInput:
    return InvalidInput({"code": ["This code isn't valid, or not any more."]})

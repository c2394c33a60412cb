"""People whom another service vouches for: which account is theirs, or a new one."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from rest_framework.exceptions import PermissionDenied

from accounts.gates import check_sign_up
from accounts.methods import check_method
from core.errors import DomainError
from users.models import User


@dataclass(frozen=True)
class Person:
    """What a service says of somebody.

    Attributes:
        method: which service, as in `accounts.methods`.
        email: an address that the service has verified to be theirs.
    """

    method: str
    subject: str
    email: str
    first_name: str = ""
    last_name: str = ""


class ProviderError(DomainError):
    """The service is away, or answers what makes no sense. Rendered as `{"message": …}`."""

    status_code = 502


class NotVouchedFor(DomainError):
    """The service doesn't know this person, or no verified address of theirs. Rendered likewise."""


def account_of(
    person: Person, *, sign_up_type: str | None = None, invite_hash: str | None = None
) -> tuple[User, bool]:
    """Return the account with the person's address, in any letter case, or a new one; and whether it is new.

    Raises:
        NotVouchedFor: what the service calls an address is none.
        PermissionDenied: addresses of this domain sign in otherwise, the account is inactive, or this
            installation takes no such new account.
    """
    _check_address(person.email)
    check_method(person.email, person.method)
    user = _found(person.email)
    if user is None:
        check_sign_up(
            email=person.email, sign_up_type=sign_up_type, invite_hash=invite_hash, method=person.method
        )
        user, is_new = _made(person, sign_up_type)
    else:
        is_new = False
    if not user.is_active:
        raise PermissionDenied("This account is inactive.")
    return user, is_new


def _check_address(email: str) -> None:
    try:
        User._meta.get_field("email").run_validators(email)
    except ValidationError as error:
        raise NotVouchedFor("The e-mail address of this person isn't valid.") from error


def _found(email: str) -> User | None:
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist:
        return None


def _made(person: Person, sign_up_type: str | None) -> tuple[User, bool]:
    names = {"first_name": person.first_name[:150], "last_name": person.last_name[:150]}
    try:
        with transaction.atomic():
            return User.objects.create_user(person.email, sign_up_type=sign_up_type, **names), True
    except IntegrityError:  # they came twice at once
        return User.objects.get_by_natural_key(person.email), False

"""Switching a second factor on and off, and looking at what it gives."""

import secrets
import string

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from accounts import lockout
from accounts.mfa import totp
from accounts.mfa.models import APP, BackupCode, MfaMethod
from core.errors import DomainError, InvalidInput
from users.models import User

BACKUP_CODES = 5
_BACKUP_CODE_LENGTH = 10
_BACKUP_CODE_CHARACTERS = string.ascii_letters + string.digits


class MfaError(DomainError):
    """What the product refuses about a second factor. Rendered as `{"error": message}`."""


def active_method(user: User) -> MfaMethod | None:
    """Return the second factor that signing in asks for; None for who has none."""
    return user.mfa_methods.filter(is_active=True).order_by("-is_primary", "id").first()


def begin_activation(user: User) -> MfaMethod:
    """Return the method that is to be confirmed by a code: the one that waits already, or a new one.

    Raises:
        MfaError: it is active already.
    """
    method, _ = MfaMethod.objects.get_or_create(user=user, name=APP, defaults={"secret": totp.new_secret()})
    if method.is_active:
        raise MfaError("The second factor is active already.")
    return method


@transaction.atomic
def confirm_activation(user: User, name: str, code: str) -> list[str]:
    """Make a method active with one of its codes, and return new backup codes, which nobody is shown again.

    Raises:
        InvalidInput: the code is wrong, or there is nothing to confirm.
    """
    method = MfaMethod.objects.select_for_update().filter(user=user, name=name, is_active=False).first()
    step = None if method is None else totp.step_of(method.secret, code)
    if method is None or step is None:
        raise InvalidInput({"code": ["This code isn't valid."]})
    method.is_active, method.last_step = True, step
    method.is_primary = not user.mfa_methods.filter(is_primary=True).exists()
    method.save(update_fields=["is_active", "is_primary", "last_step"])
    codes = [_new_backup_code() for _ in range(BACKUP_CODES)]
    method.backup_codes.all().delete()
    BackupCode.objects.bulk_create(BackupCode(method=method, digest=_digest(method, each)) for each in codes)
    return codes


def deactivate(user: User, name: str) -> None:
    """Remove an active method, with its backup codes.

    Raises:
        MfaError: there is none.
    """
    deleted, _ = MfaMethod.objects.filter(user=user, name=name, is_active=True).delete()
    if not deleted:
        raise MfaError("The second factor isn't active.")


def is_right(request: Request | HttpRequest, user: User, code: str) -> bool:
    """Say whether this is a code of the user's second factor, and use it up; wrong ones lock the account."""
    method = active_method(user)
    if method is None or lockout.is_locked(request, user.email):
        return False
    if _use(method, code):
        return True
    lockout.count_failure(request, user.email)
    return False


def _use(method: MfaMethod, code: str) -> bool:
    step = totp.step_of(method.secret, code)
    if step is not None:
        # One statement: of two who bring the same code at once, one finds it used.
        unused = Q(last_step__isnull=True) | Q(last_step__lt=step)
        return bool(MfaMethod.objects.filter(unused, pk=method.pk, is_active=True).update(last_step=step))
    deleted, _ = BackupCode.objects.filter(method=method, digest=_digest(method, code)).delete()
    return bool(deleted)


def _new_backup_code() -> str:
    return "".join(secrets.choice(_BACKUP_CODE_CHARACTERS) for _ in range(_BACKUP_CODE_LENGTH))


def _digest(method: MfaMethod, code: str) -> str:
    # Keyed by what is encrypted beside it, so that a copy of the database doesn't let anyone try codes. Slow
    # hashing is for what people choose themselves: these have 59 bits.
    return salted_hmac("accounts.mfa.backup_code", code, secret=method.secret, algorithm="sha256").hexdigest()

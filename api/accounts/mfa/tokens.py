"""What a right password gives where a second factor is asked for: a token for the second step alone."""

import time

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36

from users.models import User

LIFETIME_SECONDS = 15 * 60
_SIGNATURE_LENGTH = 40
_LARGEST_ID = 2**31 - 1


def make_token(user: User) -> str:
    """Return `<user id>-<seconds in base 36>-<signature>`."""
    now = int(time.time())
    return f"{user.pk}-{int_to_base36(now)}-{_signature(user, now, settings.SECRET_KEY)}"


def user_of(token: str) -> User | None:
    """Return whose token this is; None where it is forged, older than 15 minutes, or void.

    Void it is after a new password, another sign-in, or whatever else ends the user's sessions.
    """
    user_id, _, rest = token.partition("-")
    encoded_time, _, signature = rest.partition("-")
    try:
        made_at = base36_to_int(encoded_time)
    except ValueError:
        return None
    if not (user_id.isascii() and user_id.isdecimal()) or len(user_id) > 10 or int(user_id) > _LARGEST_ID:
        return None
    user = User.objects.filter(pk=int(user_id), is_active=True).first()
    if user is None or not 0 <= time.time() - made_at <= LIFETIME_SECONDS:
        return None
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    is_signed = any(constant_time_compare(signature, _signature(user, made_at, key)) for key in keys)
    return user if is_signed else None


def _signature(user: User, made_at: int, key: str) -> str:
    bound_to = f"{user.pk}|{user.password}|{user.last_login}|{user.session_generation}|{made_at}"
    mac = salted_hmac("accounts.mfa.ephemeral_token", bound_to, secret=key, algorithm="sha256")
    return mac.hexdigest()[:_SIGNATURE_LENGTH]

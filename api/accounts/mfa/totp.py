"""Codes that change with time (RFC 6238): SHA-1, six digits, steps of 30 seconds, as every app shows them."""

import time
from base64 import b32decode, b32encode
from secrets import token_bytes

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.utils.crypto import constant_time_compare

STEP_SECONDS = 30
_SECRET_BYTES = 20  # 32 characters in base 32
# Clocks differ, and people type slowly.
_TOLERANCE_STEPS = 1


def new_secret() -> str:
    return b32encode(token_bytes(_SECRET_BYTES)).decode("ascii")


def code_at(secret: str, step: int) -> str:
    return _totp(secret).generate(step * STEP_SECONDS).decode("ascii")


def current_step() -> int:
    return int(time.time() // STEP_SECONDS)


def step_of(secret: str, code: str) -> int | None:
    """Return the number of the step whose code this is; None where it is none of the current ones."""
    now = current_step()
    found = None
    for step in range(now - _TOLERANCE_STEPS, now + _TOLERANCE_STEPS + 1):
        if constant_time_compare(code_at(secret, step), code):
            found = step
    return found


def enrolment_link(secret: str, email: str) -> str:
    """Return what an app reads from a QR code: `otpauth://totp/…`."""
    return _totp(secret).get_provisioning_uri(email, settings.MFA_ISSUER)


def _totp(secret: str) -> TOTP:
    return TOTP(b32decode(secret), 6, SHA1(), STEP_SECONDS)  # noqa: S303  # what apps expect

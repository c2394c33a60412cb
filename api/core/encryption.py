"""Secrets that the server has to read again: encrypted in the database, so that a copy of it isn't enough.

The key comes from the installation's secret key. `DJANGO_SECRET_KEY_FALLBACKS` still read what was written
with an older one.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


class EncryptedTextField(models.TextField):
    """A text that is encrypted in the database. Nothing can be looked up by it."""

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else encrypted(str(value))

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        """Return the text.

        Raises:
            cryptography.fernet.InvalidToken: it was encrypted with a key that is no longer known.
        """
        return None if value is None else decrypted(value)


def encrypted(text: str) -> str:
    return _cipher().encrypt(text.encode()).decode("ascii")


def decrypted(text: str) -> str:
    """Return what was encrypted.

    Raises:
        cryptography.fernet.InvalidToken: with a key that is no longer known.
    """
    return _cipher().decrypt(text.encode("ascii")).decode()


def _cipher() -> MultiFernet:
    return _cipher_with((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _cipher_with(secrets: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"burgee encrypted fields").derive(secret.encode())
    return urlsafe_b64encode(derived)

"""The text of master keys: `<8 characters>.<32 characters>`, letters and digits."""

import hashlib
import re

from django.utils.crypto import get_random_string

_KEY = re.compile(rb"([A-Za-z0-9]{8})\.[A-Za-z0-9]{32}", re.ASCII)


def new_key() -> str:
    return f"{get_random_string(8)}.{get_random_string(32)}"


def prefix_of(key: bytes) -> str | None:
    """Return the part that a key is looked up by; None for what has not the form of one."""
    match = _KEY.fullmatch(key)
    return match[1].decode() if match else None


def digest(key: bytes) -> str:
    """Return what is stored of a key.

    A slow hash with a salt protects passwords, which people choose and use elsewhere. These are 190 random
    bits: nobody finds one by trying, and a slow hash would only cost every request of every machine.
    """
    return hashlib.sha256(key).hexdigest()

"""Bytes that are made once and then taken from caches, under names that never mean anything else.

A name says of what and at which revision, so an entry is never wrong, only no longer asked for. No cache is
trusted: every entry is sealed with its name under a key that is derived from SECRET_KEY.
"""

import hmac
import zlib
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.utils.crypto import salted_hmac

from core.cache_places import CachePlace

_DIGEST_BYTES = 32
# What is small compressed may be huge.
_MOST_BYTES = 256 * 1024 * 1024


class KeptBytes:
    """The caches of these aliases, the nearest first, as far as they are on and answer."""

    def __init__(self, *aliases: str) -> None:
        self._places = [CachePlace(alias) for alias in aliases]

    @property
    def is_on(self) -> bool:
        return any(place.is_on for place in self._places)

    @property
    def may_block(self) -> bool:
        """Whether anybody else has to be asked."""
        return any(place.is_shared for place in self._places)

    def find(self, name: str) -> bytes | None:
        """Return what is kept under a name; nearer caches, which hadn't it, then have it too."""
        lacking: list[CachePlace] = []
        for place in self._places:
            if not place.is_on:
                continue
            content = unsealed(name, place.read(name))
            if content is not None:
                for each in lacking:
                    each.write(name, sealed(name, content))
                return content
            lacking.append(place)
        return None

    def keep(self, name: str, content: bytes) -> None:
        entry = sealed(name, content) if self.is_on else b""
        for place in self._places:
            place.write(name, entry)

    def taken_or_made(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return what is kept under a name, or make it and keep it."""
        if not self.is_on:
            return make()
        content = self.find(name)
        if content is None:
            content = make()
            self.keep(name, content)
        return content


def sealed(name: str, content: bytes) -> bytes:
    """Return what `unsealed` reads."""
    compressed = zlib.compress(content, 1)
    return _digest(name, compressed) + compressed


def unsealed(name: str, entry: bytes | None) -> bytes | None:
    """Return the content, or None where the entry isn't whole, isn't ours or has another name."""
    if entry is None or not hmac.compare_digest(entry[:_DIGEST_BYTES], _digest(name, entry[_DIGEST_BYTES:])):
        return None
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(entry[_DIGEST_BYTES:], _MOST_BYTES)
    except zlib.error:
        return None
    return content if inflater.eof else None


def _digest(name: str, compressed: bytes) -> bytes:
    digest = hmac.new(_key(settings.SECRET_KEY), b"%d:" % len(name.encode()), "sha256")
    digest.update(name.encode())
    digest.update(compressed)
    return digest.digest()


@cache
def _key(secret: str) -> bytes:
    return salted_hmac("core.kept_bytes", "key", secret=secret, algorithm="sha256").digest()

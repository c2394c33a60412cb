"""Bytes that are made once and then taken from caches, under names that never mean anything else.

A name says of what and at which revision, so an entry is never wrong, only no longer asked for. No cache is
trusted: every entry is sealed with its name under a key that is derived from SECRET_KEY.
"""

import hmac
import zlib
from collections.abc import Callable

from core.cache_places import CachePlace
from core.sealing import DIGEST_BYTES, digest_of, inflated

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
    if entry is None:
        return None
    digest, compressed = entry[:DIGEST_BYTES], entry[DIGEST_BYTES:]
    if not hmac.compare_digest(digest, _digest(name, compressed)):
        return None
    return inflated(compressed, _MOST_BYTES)


def _digest(name: str, compressed: bytes) -> bytes:
    encoded = name.encode()
    return digest_of("core.kept_bytes", b"%d:" % len(encoded), encoded, compressed)

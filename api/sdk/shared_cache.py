"""Contents in the Django cache `environments`, for the workers of other hosts.

Every entry is named by its revision, so how long it is kept never decides how old an answer is. The cache is
not trusted: contents are packed, hints are only hints. It is never waited for: its clients have short
timeouts, and after a failure it is left alone for some seconds. A cache that belongs to one process
shares nothing, and is not used.

    content:<name>        the first piece, preceded by the number of pieces; Memcached takes no more than 1 MB
    content:<name>:<n>    the others
    latest:<environment>  the name of a recent content, to start from when the database is away
    key:<digest>          the environment that a key opened, for the same
    building:<name>       somebody builds it
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache

from documents.rows import RevisionName
from sdk.packing import FORMAT, unpack

T = TypeVar("T")

logger = logging.getLogger(__name__)

CACHE_ALIAS = "environments"

_PIECE_BYTES = 900_000
_LEFT_ALONE_SECONDS = 5.0
_CLAIM_SECONDS = 2
_PREFIX = FORMAT.decode()


class SharedCache:
    """The cache, as far as it can be reached. Every method gives up quietly."""

    def __init__(self, alias: str = CACHE_ALIAS) -> None:
        self._alias = alias
        self._left_alone_until = 0.0

    @property
    def is_shared(self) -> bool:
        """Whether others can find here what this process puts."""
        cache = caches[self._alias]
        keeps = cache.default_timeout is None or cache.default_timeout > 0
        return keeps and not isinstance(cache, LocMemCache | DummyCache)

    def read(self, name: RevisionName) -> bytes | None:
        """Return a content, if it is there and whole."""
        packed = self._try(lambda cache: _joined(cache, name), None)
        found = unpack(packed)
        return found[1] if found and found[0] == name else None

    def write(self, name: RevisionName, packed: bytes, *, keys: Iterable[str]) -> None:
        """Keep a content. `keys` are the names of those that open it."""
        pieces = [packed[start : start + _PIECE_BYTES] for start in range(0, len(packed), _PIECE_BYTES)]
        entries = {
            **{_content(name, number): piece for number, piece in enumerate(pieces) if number},
            _latest(name.environment_id): str(name).encode(),
            **{_key(key): b"%d" % name.environment_id for key in keys},
        }

        def put(cache: BaseCache) -> None:
            cache.set_many(entries)
            # Last: whoever finds it finds the others.
            cache.set(_content(name, 0), len(pieces).to_bytes(2, "big") + pieces[0])

        self._try(put, None)

    def claim(self, name: RevisionName) -> bool:
        """Take the right to build a content. False where somebody has taken it within two seconds.

        It saves work, no more: where a cache gives it to two, as one of files may, both build the same.
        """
        return self._try(lambda cache: cache.add(f"{_PREFIX}:building:{name}", b"1", _CLAIM_SECONDS), True)

    def latest(self, environment_id: int) -> tuple[RevisionName, bytes] | None:
        """Return a content of the environment that was current not long ago, if there is one."""
        try:
            name = RevisionName.parse(self._text(_latest(environment_id)))
        except ValueError:
            return None
        content = self.read(name)
        return (name, content) if content is not None and name.environment_id == environment_id else None

    def environment_of(self, key: str) -> int | None:
        """Return the environment that a key, by its name, opened not long ago."""
        text = self._text(_key(key))
        return int(text) if text.isascii() and text.isdigit() else None

    def _text(self, key: str) -> str:
        found = self._try(lambda cache: cache.get(key), None)
        return found.decode("ascii", errors="replace") if isinstance(found, bytes) else ""

    def _try(self, use: Callable[[BaseCache], T], otherwise: T) -> T:
        if not self.is_shared or time.monotonic() < self._left_alone_until:
            return otherwise
        try:
            return use(caches[self._alias])
        except Exception as error:  # noqa: BLE001 - each cache has errors of its own
            self._left_alone_until = time.monotonic() + _LEFT_ALONE_SECONDS
            logger.warning("The shared cache is left alone for a while: %s", type(error).__name__)
            return otherwise


def _joined(cache: BaseCache, name: RevisionName) -> bytes | None:
    first: Any = cache.get(_content(name, 0))
    if not isinstance(first, bytes):
        return None
    others = [_content(name, number) for number in range(1, int.from_bytes(first[:2], "big"))]
    found: dict[str, Any] = cache.get_many(others) if others else {}
    pieces = [first[2:], *(found.get(key) for key in others)]
    whole = [piece for piece in pieces if isinstance(piece, bytes)]
    return b"".join(whole) if len(whole) == len(pieces) else None


def _content(name: RevisionName, number: int) -> str:
    return f"{_PREFIX}:content:{name}:{number}" if number else f"{_PREFIX}:content:{name}"


def _latest(environment_id: int) -> str:
    return f"{_PREFIX}:latest:{environment_id}"


def _key(key: str) -> str:
    return f"{_PREFIX}:key:{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}"

"""One of Django's caches, as a place for bytes of any length that is asked only while it answers.

It is never waited for: its clients have short timeouts, and after a failure it is left alone for some
seconds. Whatever fails, the answer is the one for nothing found. One in the database is asked only over a
connection that stands: one does right after the revision was asked for, and none once the database is away.

    <name>        the first piece, preceded by the number of pieces; Memcached takes no more than 1 MB
    <name>:<n>    the others
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import DEFAULT_DB_ALIAS, connections

from core.database_cache import BytesInDatabase
from core.postgres import cut_off_after

T = TypeVar("T")

logger = logging.getLogger(__name__)

_PIECE_BYTES = 900_000
# Whoever says that there are more isn't one of us, and would have us ask for them.
_MOST_PIECES = 600
_LEFT_ALONE_SECONDS = 5.0
_DATABASE_SECONDS = 1.0


class CachePlace:
    """A cache by its alias. Every method gives up quietly.

    Attributes:
        failures: how often it has failed, for metrics.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.failures = 0
        self._left_alone_until = 0.0

    @property
    def is_on(self) -> bool:
        """Whether anything that is put here may be found again."""
        if self.alias not in settings.CACHES:
            return False
        cache = caches[self.alias]
        keeps = cache.default_timeout is None or cache.default_timeout > 0
        return keeps and not isinstance(cache, DummyCache)

    @property
    def is_shared(self) -> bool:
        """Whether others can find here what this process puts."""
        return self.is_on and not isinstance(caches[self.alias], LocMemCache)

    @property
    def is_left_alone(self) -> bool:
        """Whether it has failed a moment ago."""
        return time.monotonic() < self._left_alone_until

    @property
    def keeps_for_ever(self) -> bool:
        return caches[self.alias].default_timeout is None

    @property
    def is_in_database(self) -> bool:
        """Whether it is away whenever the database is."""
        return isinstance(caches[self.alias], BytesInDatabase)

    def read(self, name: str) -> bytes | None:
        """Return the bytes of this name, if all pieces of them are there. They may be anybody's."""
        return self.attempt(lambda cache: _joined(cache, name), None)

    def write(self, name: str, content: bytes, *, beside: dict[str, bytes] | None = None) -> None:
        """Keep bytes, and small ones of other names with them."""
        pieces = [content[start : start + _PIECE_BYTES] for start in range(0, len(content), _PIECE_BYTES)]
        others = {f"{name}:{number}": piece for number, piece in enumerate(pieces) if number}

        def put(cache: BaseCache) -> None:
            if others or beside:
                cache.set_many({**others, **(beside or {})})
            # Last: whoever finds it finds the others.
            cache.set(name, len(pieces).to_bytes(2, "big") + pieces[0])

        self.attempt(put, None)

    def add(self, name: str, content: bytes, seconds: float | None = DEFAULT_TIMEOUT) -> bool | None:
        """Keep bytes of one piece where nothing is of this name. Returns whether; None: it can't be said."""
        return self.attempt(lambda cache: bool(cache.add(name, content, seconds)), None)

    def text(self, name: str) -> str:
        """Return a small text, which may be anybody's; empty where there is none."""
        found = self.attempt(lambda cache: cache.get(name), None)
        return found.decode("ascii", errors="replace") if isinstance(found, bytes) else ""

    def remove(self, *names: str) -> None:
        """Drop bytes with all their pieces, and small ones."""

        def drop(cache: BaseCache) -> None:
            found: dict[str, Any] = cache.get_many(names)
            counts = {name: _number_of_pieces(first) for name, first in found.items()}
            pieces = (f"{name}:{number}" for name, count in counts.items() for number in range(1, count))
            cache.delete_many([*found, *pieces])

        self.attempt(drop, None)

    def attempt(self, use: Callable[[BaseCache], T], otherwise: T) -> T:
        """Use the cache, if it is there to be used."""
        if not self.is_on or self.is_left_alone:
            return otherwise
        if self.is_in_database and connections[DEFAULT_DB_ALIAS].connection is None:
            return otherwise  # connecting takes seconds where the database is away
        try:
            with self._deadline():
                return use(caches[self.alias])
        except Exception as error:  # noqa: BLE001 - each cache has errors of its own
            self.failures += 1
            self._left_alone_until = time.monotonic() + _LEFT_ALONE_SECONDS
            if settings.DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS:
                logger.warning("The cache %s is left alone for a while: %s", self.alias, type(error).__name__)
            if self.is_in_database and not connections[DEFAULT_DB_ALIAS].in_atomic_block:
                connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()
            return otherwise

    def _deadline(self) -> AbstractContextManager[None]:
        """Bound what other clients bound themselves. Whose transaction is open has bounds of its own."""
        connection = connections[DEFAULT_DB_ALIAS]
        if not self.is_in_database or connection.in_atomic_block:
            return nullcontext()
        return cut_off_after(_DATABASE_SECONDS, connection)


def _joined(cache: BaseCache, name: str) -> bytes | None:
    first: Any = cache.get(name)
    if not isinstance(first, bytes):
        return None
    others = [f"{name}:{number}" for number in range(1, _number_of_pieces(first))]
    found: dict[str, Any] = cache.get_many(others) if others else {}
    pieces = [first[2:], *(found.get(key) for key in others)]
    whole = [piece for piece in pieces if isinstance(piece, bytes)]
    return b"".join(whole) if len(whole) == len(pieces) else None


def _number_of_pieces(first: object) -> int:
    number = int.from_bytes(first[:2], "big") if isinstance(first, bytes) else 0
    return number if number <= _MOST_PIECES else 0

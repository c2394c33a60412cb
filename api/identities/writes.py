"""When this host last wrote to whom: a file that all its processes map, where traits are kept in a cache.

Who is deleted or given another name was written to as well. See `identities.kept_traits` for what it is for.
"""

import logging
import mmap
import os
import time
import zlib
from collections.abc import Collection
from functools import cached_property
from pathlib import Path

from django.conf import settings
from django.db import transaction

from core.mapping import reserve

logger = logging.getLogger(__name__)

# An environment's id, and an identifier.
Whom = tuple[int, str]

# Those that fall together are kept from the cache together.
_SLOTS = 1024 * 1024
_SLOT_BYTES = 8
# No identity falls here: when so many were written to that it isn't noted who.
_EVERYONE = 0


class Writes:
    """When processes of this host last wrote to which identities, by the clock that they share.

    Raises:
        OSError: the file can't be made or written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode=0o600)
        try:
            if os.fstat(file).st_size < _SLOTS * _SLOT_BYTES:
                reserve(file, 0, _SLOTS * _SLOT_BYTES)
            # An item of 64 bits is written at once, so nobody has to lock anything.
            self._slots = memoryview(mmap.mmap(file, _SLOTS * _SLOT_BYTES)).cast("Q")
        finally:
            os.close(file)

    def note(self, identities: Collection[Whom]) -> None:
        now = time.monotonic_ns()
        for identity in identities:
            self._slots[_slot(identity)] = now

    def note_all(self) -> None:
        self._slots[_EVERYONE] = time.monotonic_ns()

    def seconds_since(self, identity: Whom) -> float:
        """Return for how long nobody has written to an identity; for ever, if the clock began anew since."""
        now = time.monotonic_ns()
        times = [at for at in (self._slots[_slot(identity)], self._slots[_EVERYONE]) if 0 < at <= now]
        return (now - max(times)) / 1e9 if times else float("inf")


def _slot(whom: Whom) -> int:
    environment_id, identifier = whom
    digest = zlib.crc32(identifier.encode(errors="surrogatepass"), environment_id)
    return 1 + digest % (_SLOTS - 1)


class NotedWrites:
    """The file of this host, where it is needed."""

    @property
    def are_needed(self) -> bool:
        return settings.KEPT_SECONDS["identities"] > 0

    @cached_property
    def file(self) -> Writes | None:
        try:
            return Writes(Path(settings.SNAPSHOT_DIR) / "identity-writes")
        except OSError:
            logger.exception("SNAPSHOT_DIR can't be used: traits are kept in no cache.")
            return None

    def note(self, identities: Collection[Whom]) -> None:
        """Say who was written to, before anybody is told that it was done."""
        if identities and self.are_needed and self.file:
            self.file.note(identities)

    def note_at_commit(self, identities: Collection[Whom]) -> None:
        if self.are_needed:
            transaction.on_commit(lambda: self.note(identities))

    def note_all_at_commit(self) -> None:
        """Say that it may have been anybody."""
        if self.are_needed and self.file:
            transaction.on_commit(self.file.note_all)


noted_writes = NotedWrites()

"""The host's floor: per environment, the highest revision that a worker of this host has made visible.

A worker whose snapshot lies below the floor takes the newer content before it answers, so whoever asks one
host twice never sees flags go back, whichever workers answer. All workers map one file: reading is a look
into memory, raising is rare and done under a lock. A worker raises the floor *before* it puts a snapshot in
its place: else it could answer from the new one while its neighbour still answers from the old.

`struct.pack_into` won't do: it clears the bytes before it fills them, and a reader sees that. An item of
a `memoryview` cast to 64-bit integers is written at once.
"""

import fcntl
import logging
import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.mapping import reserve

logger = logging.getLogger(__name__)

_SLOT_BYTES = 8
_GROWS_BY_SLOTS = 8 * 1024
# No environment has this id.
_CONFIRMED_AT = 0


class Floor:
    """Revisions by environment id, shared by the processes that open the same path.

    Open it after forking: a lock on a file belongs to whoever opened it. The file has a hole where there are
    no environments, and lasts as long as the host's other files: a start doesn't go back either.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode=0o600)
        self._reserved: set[int] = set()
        self._lock = threading.Lock()  # threads of a process share its lock on the file
        with self._locked():
            self._cover(_CONFIRMED_AT)

    def __getitem__(self, environment_id: int) -> int:
        """Return the floor, 0 where there is none."""
        try:
            return self._slots[environment_id]
        except IndexError:
            return self._beyond(environment_id)

    @property
    def confirmed_at(self) -> int:
        """When a worker of this host was last told by the primary what is current; Unix seconds, or 0."""
        return self._slots[_CONFIRMED_AT]

    def confirm(self, now: float) -> None:
        self._slots[_CONFIRMED_AT] = int(now)

    def raise_to(self, environment_id: int, number: int) -> None:
        """Raise the floor, unless it is as high already, or the disk has no room for one."""
        if self[environment_id] >= number:
            return
        with self._locked():
            try:
                self._cover(environment_id)
            except OSError:
                # Workers may then differ for a moment, which is better than to stay as they are.
                logger.exception("The floor of environment %s can't be kept.", environment_id)
                return
            if self._slots[environment_id] < number:
                self._slots[environment_id] = number

    def lower(self, environment_id: int, *, seen: int, number: int) -> None:
        """Lower the floor from what was `seen`, unless someone has moved it since."""
        with self._locked():
            if self[environment_id] == seen:
                self._slots[environment_id] = number

    def close(self) -> None:
        os.close(self._file)  # what is mapped stays readable

    def _beyond(self, environment_id: int) -> int:
        if os.fstat(self._file).st_size > len(self._slots) * _SLOT_BYTES:
            self._map()  # another process has made it larger
        return self._slots[environment_id] if environment_id < len(self._slots) else 0

    def _cover(self, environment_id: int) -> None:
        part, size = environment_id // _GROWS_BY_SLOTS, _GROWS_BY_SLOTS * _SLOT_BYTES
        if part not in self._reserved:
            reserve(self._file, part * size, size)
            self._reserved.add(part)
        self._map()

    def _map(self) -> None:
        size = os.fstat(self._file).st_size // _SLOT_BYTES * _SLOT_BYTES
        self._slots = memoryview(mmap.mmap(self._file, size)).cast("Q")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

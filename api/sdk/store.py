"""The one place that keeps snapshots in memory. Both doors read here; what is said below is why they may.

**Where a feed keeps this process informed** (`sdk.live`), requests are answered from memory alone:

- Whoever loads or refreshes an environment holds its flight lock, and asks the primary for the revision only
  after taking it. So within a process what is installed later was read later: a slow reader can't bring
  old flags back.
- Between processes of a host the floor sees to it. It is raised before a snapshot becomes visible, and a
  snapshot below it isn't answered from. One that the primary gave and that yet lies below the floor as it
  stood *before* the read proves that the primary itself went back, as after a restore: the floor is lowered
  to it, unless somebody has moved it meanwhile.
- A notification, or the poll that finds a difference, leads to a refresh that starts after it and thus
  brings at least what it told. An environment is known to be of interest before its revision is read, so
  no notification falls between reading and installing.
- What streams tell of is watched: its name is remembered when it leaves for want of room, so that its changes
  are still heard of, and bring it back.
- The index of keys is only a hint: whether a key opens a snapshot, the snapshot says, so replacing it is what
  makes a key valid, or no longer. A key that memory lacks is looked up; only the primary can refuse it.

**Without a feed** (plain WSGI, management commands) a request first asks the primary for the revision's name,
and takes what is in memory only if it carries that name. Inside a transaction that is already open nothing is
kept or found: revisions are raised at commit, so what the transaction has changed has no name yet.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from core.postgres import DatabaseUnavailable
from documents.rows import RevisionName, current_revision, read_rows
from environments.models import Environment
from sdk.contents import content_of
from sdk.keys import UNKNOWN_KEY, KeyRefused, KeyUnchecked, key_name
from sdk.lookup import find_environment
from sdk.snapshots import Access, Snapshot, compile_snapshot
from sdk.sources import Source, asking_the_database

logger = logging.getLogger(__name__)

# For how long somebody waits at most who wants to read what they wrote.
REACH_SECONDS = 0.5
_LOOK_AGAIN_SECONDS = 0.01
# For how long a key stays unknown where nobody tells of a new one.
_UNKNOWN_SECONDS = 0.8


class RevisionNotReached(Exception):
    """What is here is older than the request wants.

    Attributes:
        retry_after_seconds: when to ask again.
    """

    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__("The environment has not reached this revision yet. Try again.")


@dataclass(slots=True)
class _Held:
    snapshot: Snapshot
    used_at: float


class _Unknown(NamedTuple):
    """When the primary last said that there is no such key, how often it has, and who listened then."""

    at: float
    times: int
    listening: int | None


@dataclass(slots=True)
class StoreCounts:
    """What happened since the start; for metrics."""

    evicted: int = 0
    refreshed: int = 0
    refused: int = 0


class SnapshotStore:
    """Snapshots by environment and by key, as many as fit into `most_bytes`."""

    def __init__(self, *, most_bytes: int | None = None, source: Source | None = None) -> None:
        self._most_bytes = most_bytes or settings.SNAPSHOT_MEMORY_BYTES
        self._source = source or Source()
        self._held: dict[int, _Held] = {}
        self._environments: dict[str, int] = {}  # by the names of keys
        self._unknown: dict[str, _Unknown] = {}
        self._watched: dict[int, RevisionName] = {}  # which revision was held last
        self._news = 0
        self._changing = threading.Lock()
        self._flights: dict[int, _Flight] = {}
        self.size_bytes = 0
        self.counts = StoreCounts()
        self.is_fed = False
        self.on_installed: Callable[[Snapshot], None] | None = None
        self.on_forgotten: Callable[[int], None] | None = None
        # Where every change is told at once: since which reconnection it is.
        self.listening: Callable[[], int | None] = lambda: None
        # By environment: for how long it hasn't been known whether it has changed; None: it is known.
        self.degraded_seconds: Callable[[int], int | None] = lambda environment_id: None

    def feed_from(self, source: Source) -> None:
        """From now on a feed tells of every change: answer from memory."""
        self._source = source
        self.clear()
        self.is_fed = True

    def stop_feeding(self) -> None:
        self.is_fed = False
        self.degraded_seconds = lambda environment_id: None
        self.listening = lambda: None
        self._source = Source()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._changing:
            self._held, self._environments, self._unknown, self._watched = {}, {}, {}, {}
            self.size_bytes = 0

    # --- from memory ----------------------------------------------------------------------------

    def get(self, key: str) -> Access | None:
        """Return what a key opens, without any I/O; None where memory can't say.

        Only for a process that is fed.

        Raises:
            KeyRefused: the key is known to open nothing, or the organisation has stopped serving flags.
        """
        name = key_name(key)
        environment_id = self._environments.get(name)
        if environment_id is None:
            if self._is_known_to_be_unknown(name):
                self.counts.refused += 1
                raise KeyRefused(UNKNOWN_KEY)
            return None
        snapshot = self.peek(environment_id)
        return snapshot.access(name) if snapshot else None

    def peek(self, environment_id: int) -> Snapshot | None:
        """Return the environment's snapshot if it may be answered from, without any I/O."""
        held = self._held.get(environment_id)
        if held is None or held.snapshot.name.number < self._floor(environment_id):
            return None
        held.used_at = time.monotonic()
        return held.snapshot

    def name_of(self, environment_id: int) -> RevisionName | None:
        """Return which revision of an environment is held, or was when somebody watches it."""
        held = self._held.get(environment_id)
        return held.snapshot.name if held else self._watched.get(environment_id)

    def names(self) -> dict[int, RevisionName]:
        """Return which revisions are held, or were of what somebody watches."""
        held = {environment_id: held.snapshot.name for environment_id, held in list(self._held.items())}
        return {**self._watched, **held} if self._watched else held

    @property
    def can_serve(self) -> bool:
        """Whether somebody is answered here while the database is away."""
        return self.is_fed and (bool(self._held) or self._source.has_files)

    def __len__(self) -> int:
        return len(self._held)

    @property
    def watched(self) -> Collection[int]:
        """The environments that streams tell of."""
        return self._watched.keys()

    def is_interested(self, environment_id: int) -> bool:
        """Whether the environment is held, watched, or on its way."""
        return (
            environment_id in self._held or environment_id in self._watched or environment_id in self._flights
        )

    def watch(self, snapshot: Snapshot) -> None:
        """Hear of what comes after `snapshot`, until `unwatch`, whether or not it stays in memory."""
        with self._changing:
            held = self._held.get(snapshot.environment_id)
            self._watched[snapshot.environment_id] = (held.snapshot if held else snapshot).name

    def unwatch(self, environment_id: int) -> None:
        with self._changing:
            self._watched.pop(environment_id, None)

    # --- with I/O -------------------------------------------------------------------------------

    def open(self, key: str) -> Access:
        """Return what a key opens, from wherever it takes. Only for a process that is fed.

        Raises:
            KeyRefused: the primary says that it opens nothing, or the organisation has stopped serving flags.
            KeyUnchecked: the database is away, and nothing that is left knows the key.
        """
        access = self.get(key)
        if access is not None:
            return access
        name, news, listening = key_name(key), self._news, self.listening()
        try:
            with asking_the_database():
                environment_id = find_environment(key)
            if environment_id is not None and (access := self._open(environment_id, name)):
                return access
        except DatabaseUnavailable:
            return self._open_as_last_known(name, key)
        except Environment.DoesNotExist:
            logger.debug("An environment was deleted while its key was looked up.")
        self._remember_unknown(name, news, listening)
        raise KeyRefused(UNKNOWN_KEY)

    def current(self, environment_id: int) -> Snapshot:
        """Return the environment as it is now. At most one query when it is at hand.

        Raises:
            Environment.DoesNotExist: it, its project or its organisation is deleted.
            DatabaseUnavailable: it isn't at hand, and can't be read.
        """
        if connection.in_atomic_block:
            return compile_snapshot(content_of(read_rows(environment_id)))
        if self.is_fed:
            return self.peek(environment_id) or self._load(environment_id)
        revision = current_revision(environment_id)
        snapshot = self.peek(environment_id)
        if snapshot and revision and snapshot.name == revision.name:
            return snapshot
        return self._load(environment_id, unless=revision.name if revision else None)

    def reached(self, environment_id: int, number: int, *, within_seconds: float) -> Snapshot:
        """Return the environment at this revision or a later one. Waits only for the feed.

        Raises:
            RevisionNotReached: it isn't there in time.
        """
        deadline = time.monotonic() + within_seconds
        while (snapshot := self.current(environment_id)).name.number < number:
            if not self.is_fed or time.monotonic() > deadline:
                raise RevisionNotReached
            time.sleep(_LOOK_AGAIN_SECONDS)
        return snapshot

    def refresh(self, environment_id: int) -> None:
        """Bring the environment up to what the primary names as current after this call began.

        Raises:
            DatabaseUnavailable: it can't be asked. What is held stays, unless the host knows better.
        """
        with self._flight(environment_id):
            try:
                self._fly(environment_id)
            except Environment.DoesNotExist:
                self._forget(environment_id)
            except DatabaseUnavailable:
                if self.peek(environment_id) is None:
                    self._install_last_known(environment_id)
                raise

    @property
    def unknown_keys(self) -> int:
        return len(self._unknown)

    def forget_unknown_keys(self) -> None:
        """A change was heard of: it may be a key's coming into being."""
        with self._changing:
            self._news += 1
            self._unknown = {}

    # --------------------------------------------------------------------------------------------

    def _open(self, environment_id: int, name: str) -> Access | None:
        access = self._load(environment_id).access(name)
        if access is None:
            # The key may be newer than the snapshot, whose notification is still on its way.
            self.refresh(environment_id)
            snapshot = self.peek(environment_id)
            access = snapshot.access(name) if snapshot else None
        return access

    def _open_as_last_known(self, name: str, key: str) -> Access:
        environment_id = (
            self._environments.get(name)
            or self._source.environment_of(name)
            or self._source.environment_in_replicas(key)
        )
        if environment_id is not None:
            with self._flight(environment_id):
                if self.peek(environment_id) is None:
                    self._install_last_known(environment_id)
            # Whether or not the host has seen newer: there is nothing newer to be had.
            held = self._held.get(environment_id)
            access = held.snapshot.access(name) if held else None
            if access is not None:
                return access
        raise KeyUnchecked

    def _load(self, environment_id: int, *, unless: RevisionName | None = None) -> Snapshot:
        """Return what those who came before have loaded meanwhile, or load it.

        Args:
            unless: without a feed, the name that what they loaded has to carry.
        """
        with self._flight(environment_id):
            snapshot = self.peek(environment_id)
            if snapshot and (self.is_fed or snapshot.name == unless):
                return snapshot
            try:
                return self._fly(environment_id)
            except Environment.DoesNotExist:
                self._forget(environment_id)
                raise
            except DatabaseUnavailable:
                if not self.is_fed:
                    raise
                self._install_last_known(environment_id)
                held = self._held.get(environment_id)
                if held is None:
                    raise
                return held.snapshot

    def _fly(self, environment_id: int) -> Snapshot:
        """Fetch and install what the primary names as current."""
        held = self._held.get(environment_id)
        floor = self._floor(environment_id)
        content = self._source.newer_than(
            held.snapshot.name if held else None,
            environment_id,
            known=held.snapshot.identity_overrides if held else None,
        )
        if content is None and held is not None:
            snapshot = held.snapshot
        elif content is not None:
            snapshot = compile_snapshot(content)
        else:  # pragma: no cover - only what is held can be unchanged
            raise AssertionError
        if self._source.files:
            if snapshot.name.number < floor:
                self._source.files.floor.lower(environment_id, seen=floor, number=snapshot.name.number)
            else:
                self._source.files.floor.raise_to(environment_id, snapshot.name.number)
        if content is not None:
            self._install(snapshot)
        return snapshot

    def _install_last_known(self, environment_id: int) -> None:
        """Take the best that can be had without the database, if it is better than what is held."""
        content = self._source.last_known(environment_id)
        held = self._held.get(environment_id)
        if content is None or content.revision.name.number < self._floor(environment_id):
            return
        if held is None or content.revision.name.number > held.snapshot.name.number:
            if self._source.files:
                self._source.files.floor.raise_to(environment_id, content.revision.name.number)
            self._install(compile_snapshot(content))

    def _install(self, snapshot: Snapshot) -> None:
        if not snapshot.name.number and not self.is_fed:
            return  # without a name it could never be found
        environment_id = snapshot.environment_id
        with self._changing:
            before = self._held.get(environment_id)
            self._held[environment_id] = _Held(snapshot, time.monotonic())  # readers need no lock
            if environment_id in self._watched:
                self._watched[environment_id] = snapshot.name
            self.size_bytes += snapshot.size_bytes - (before.snapshot.size_bytes if before else 0)
            for name in before.snapshot.keys if before else ():
                if name not in snapshot.keys:
                    self._unindex(name, environment_id)
            for name in snapshot.keys:
                self._environments[name] = environment_id
            self.counts.refreshed += 1
            self._make_room(keeping=environment_id)
        if self.on_installed is not None:
            self.on_installed(snapshot)

    def _make_room(self, *, keeping: int) -> None:
        if self.size_bytes <= self._most_bytes:
            return
        # A little more than needed, so that a full store doesn't search for each environment that comes.
        for environment_id in sorted(self._held, key=lambda each: self._held[each].used_at):
            if self.size_bytes <= self._most_bytes * 0.98:
                return
            if environment_id != keeping:
                self._drop(environment_id)
                self.counts.evicted += 1

    def _forget(self, environment_id: int) -> None:
        self._source.forget(environment_id)
        with self._changing:
            self._drop(environment_id)
            self._watched.pop(environment_id, None)
        if self.on_forgotten is not None:
            self.on_forgotten(environment_id)

    def _drop(self, environment_id: int) -> None:
        held = self._held.pop(environment_id, None)
        if held is None:
            return
        self.size_bytes -= held.snapshot.size_bytes
        for name in held.snapshot.keys:
            self._unindex(name, environment_id)

    def _unindex(self, name: str, environment_id: int) -> None:
        if self._environments.get(name) == environment_id:
            del self._environments[name]

    def _remember_unknown(self, name: str, news: int, listening: int | None) -> None:
        self.counts.refused += 1
        with self._changing:
            if self._news != news or not self.is_fed:
                return  # the key may have come into being since it was looked up
            if name not in self._unknown and len(self._unknown) >= settings.MAX_UNKNOWN_KEYS:
                self._unknown = {}
            before = self._unknown.get(name)
            self._unknown[name] = _Unknown(time.monotonic(), before.times + 1 if before else 1, listening)

    def _is_known_to_be_unknown(self, name: str) -> bool:
        """Whether the primary has said not long ago that there is no such key.

        As long as the feed has listened since, it would have told of a key that has come into being.
        """
        found = self._unknown.get(name)
        if found is None:
            return False
        seconds = _UNKNOWN_SECONDS
        is_often = found.times >= settings.CACHE_BAD_ENVIRONMENTS_AFTER_FAILURES
        if is_often and found.listening is not None and found.listening == self.listening():
            seconds = max(seconds, settings.CACHE_BAD_ENVIRONMENTS_SECONDS)
        return time.monotonic() < found.at + seconds

    def _floor(self, environment_id: int) -> int:
        files = self._source.files
        return files.floor[environment_id] if files else 0

    @contextmanager
    def _flight(self, environment_id: int) -> Iterator[None]:
        """One at a time for an environment; whoever waits makes it an interest all the same."""
        with self._changing:
            flight = self._flights.setdefault(environment_id, _Flight())
            flight.aboard += 1
        try:
            with flight.lock:
                yield
        finally:
            with self._changing:
                flight.aboard -= 1
                if not flight.aboard:
                    del self._flights[environment_id]


class _Flight:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.aboard = 0


snapshots = SnapshotStore()

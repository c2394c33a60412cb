"""Puts what many requests ask of the database at the same time into one statement.

One statement is under way at a time; what is asked meanwhile makes up the next. An answer comes only after
its statement has committed.

Nobody waits for a database that is away. When a statement takes too long, all who wait are told so, and so
is at once everybody who comes until one is answered again. What was to be changed is kept, merged by key
and within a bound, and a statement whose outcome is unknown is repeated until it is known, before any other:
changes of one key are therefore made in their order, and a change that is repeated must be one that may be.
What is refused for what it says is halved until only the one item fails.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

import psycopg2

from core.postgres import DatabaseUnavailable

K = TypeVar("K", bound=Hashable)
C = TypeVar("C")
A = TypeVar("A")

logger = logging.getLogger(__name__)

MOST_IN_A_BATCH = 256
# Who waits longer than this is answered without the database.
PATIENCE_SECONDS = 0.25
# A loop that comes to its deadline later than this was held up itself: that says nothing of the database.
_HELD_UP_SECONDS = 0.05
_RETRY_SECONDS = (0.0, 0.05, 0.1, 0.25)

_TOO_LARGE = "54"


class Unanswered(Exception):
    """The database hasn't answered in time. What was to be changed may be made later, or may have been."""


class NotPossible(Exception):
    """The database refuses this item for what it says. Its cause is the driver's error."""


@dataclass(slots=True)
class _Entry(Generic[C, A]):
    """What is asked under one key, and who waits for it."""

    change: C
    asked_at: float
    waiting: "list[asyncio.Future[A | None]]" = field(default_factory=list)
    size_bytes: int = 0


@dataclass(slots=True)
class BatchCounts:
    """What happened since the start; for metrics."""

    batches: int = 0
    items: int = 0
    failed: int = 0
    dropped: int = 0
    refused: int = 0


class Batches(Generic[K, C, A]):
    """What is asked, from `start` to `stop`, on one event loop.

    Args:
        work: carries a batch out, durably, and returns the answers by key; where a key has none that is the
            answer too. Raises DatabaseUnavailable, or the driver's error where the database refuses.
        merge: joins an earlier and a later change of one key.
        size_bytes: about what a change takes in memory; None: nothing is kept that nobody waits for.
        most_bytes: how much is kept.
    """

    def __init__(
        self,
        work: Callable[[Mapping[K, C]], Awaitable[Mapping[K, A]]],
        *,
        merge: Callable[[C, C], C],
        size_bytes: Callable[[C], int] | None = None,
        most_bytes: int = 0,
    ) -> None:
        self._work = work
        self._merge = merge
        self._size_bytes = size_bytes
        self._most_bytes = most_bytes
        self._waited_for: dict[K, _Entry[C, A]] = {}
        self._kept: dict[K, _Entry[C, A]] = {}
        self._under_way: dict[K, _Entry[C, A]] = {}
        self._kept_bytes = 0
        self.away_since: float | None = None
        self.counts = BatchCounts()

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._something = asyncio.Event()
        self._nothing = asyncio.Event()
        self._nothing.set()
        self._running = asyncio.create_task(self._run())

    async def stop(self, within_seconds: float) -> None:
        """Finish what was asked, as far as that is possible in the time."""
        try:
            async with asyncio.timeout(within_seconds):
                await self._nothing.wait()
        except TimeoutError:
            self._tell_unanswered()
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        if self._size_bytes and (self._kept or self._under_way):
            logger.error("%s changes are lost: the database is away.", len(self._kept) + len(self._under_way))

    # --- for whoever asks -----------------------------------------------------------------------

    def ask(self, key: K, change: C) -> "asyncio.Future[A | None]":
        """Put something into the next batch, and return what will be its answer.

        The future raises Unanswered, at once while the database is away, or NotPossible.
        """
        answer: asyncio.Future[A | None] = self._loop.create_future()
        if self.away_since is not None:
            self._keep(key, _Entry(change, 0.0))
            answer.set_exception(Unanswered())
            return answer
        entry = self._waited_for.get(key)
        if entry is None:
            entry = self._waited_for[key] = _Entry(change, self._loop.time())
            if self._kept and (earlier := self._kept.pop(key, None)) is not None:
                self._kept_bytes -= earlier.size_bytes
                entry.change = self._merge(earlier.change, change)
            if not self._something.is_set():
                self._something.set()
                self._nothing.clear()
        else:
            entry.change = self._merge(entry.change, change)
        entry.waiting.append(answer)
        return answer

    def unsettled(self, key: K) -> C | None:
        """Return what is still to be changed under a key."""
        found: C | None = None
        for entries in (self._under_way, self._kept, self._waited_for):
            if entries and (entry := entries.get(key)) is not None:
                found = entry.change if found is None else self._merge(found, entry.change)
        return found

    @property
    def is_away(self) -> bool:
        return self.away_since is not None

    def state(self) -> dict[str, float]:
        """Return what metrics and readiness show. For any thread: a list is made in one step."""
        kept = sum(not entry.waiting for entry in list(self._under_way.values()))
        return {
            "batches": self.counts.batches,
            "items": self.counts.items,
            "failed": self.counts.failed,
            "refused": self.counts.refused,
            "dropped": self.counts.dropped,
            "buffered": len(self._kept) + kept,
            "buffered_bytes": self._kept_bytes,
            "is_away": float(self.is_away),
        }

    # --- one batch after the other --------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            await self._something.wait()
            while self._waited_for or self._kept:
                self._take()
                oldest = next(iter(self._under_way.values()))
                self._be_patient_until(oldest.asked_at + PATIENCE_SECONDS)
                try:
                    await self._settle(self._under_way.copy())
                finally:
                    self._patience.cancel()
            self._something.clear()
            self._nothing.set()

    def _take(self) -> None:
        """Take those who wait, and as many again of those who don't."""
        self._under_way = _taken(self._waited_for)
        if self._kept:
            kept = _taken(self._kept)
            now = self._loop.time()
            for entry in kept.values():
                self._kept_bytes -= entry.size_bytes
                entry.asked_at = now
            self._under_way.update(kept)

    async def _settle(self, batch: dict[K, _Entry[C, A]]) -> None:
        """Carry a batch out, however often that takes."""
        for pause_seconds in _pauses():
            await asyncio.sleep(pause_seconds)
            try:
                answers = await self._work({key: entry.change for key, entry in batch.items()})
            except DatabaseUnavailable as error:
                self._failed(error)
            except psycopg2.Error as error:
                if _is_of_an_item(error):
                    await self._halve(batch, error)
                    return
                self._failed(error)
            except Exception as error:
                logger.exception("A batch can't be carried out.")
                await self._halve(batch, error)
                return
            else:
                self._answer(batch, answers)
                return

    async def _halve(self, batch: dict[K, _Entry[C, A]], error: Exception) -> None:
        self._come_back()
        if len(batch) > 1:
            items = iter(batch.items())
            await self._settle(dict(islice(items, len(batch) // 2)))
            await self._settle(dict(items))
            return
        ((key, entry),) = batch.items()
        del self._under_way[key]
        self.counts.refused += 1
        logger.warning("What was asked under %r can't be done: %s", key, error)
        for waiting in entry.waiting:
            if not waiting.done():
                refusal = NotPossible()
                refusal.__cause__ = error
                waiting.set_exception(refusal)

    def _answer(self, batch: dict[K, _Entry[C, A]], answers: Mapping[K, A]) -> None:
        self.counts.batches += 1
        self.counts.items += len(batch)
        self._come_back()
        for key, entry in batch.items():
            del self._under_way[key]
            answer = answers.get(key)
            for waiting in entry.waiting:
                if not waiting.done():  # who asked may have gone
                    waiting.set_result(answer)

    # --- without the database -------------------------------------------------------------------

    def _failed(self, error: Exception) -> None:
        self.counts.failed += 1
        if self.away_since is None:
            logger.warning("A batch has to be repeated: %s", error)

    def _be_patient_until(self, end: float) -> None:
        self._patience = self._loop.call_at(end, self._lose_patience, end)

    def _lose_patience(self, end: float) -> None:
        now = self._loop.time()
        if now - end > _HELD_UP_SECONDS:
            self._be_patient_until(now + PATIENCE_SECONDS)  # what has arrived meanwhile is yet to be read
        else:
            self._go_away()

    def _go_away(self) -> None:
        """Let nobody wait any more, until the database answers."""
        if self.away_since is None:
            self.away_since = self._loop.time()
            logger.warning("The database doesn't answer: nobody waits for it.")
        self._tell_unanswered()

    def _come_back(self) -> None:
        if self.away_since is not None:
            self.away_since = None
            logger.warning("The database answers again.")

    def _tell_unanswered(self) -> None:
        waited_for, self._waited_for = self._waited_for, {}
        for entries in (self._under_way, waited_for):
            for entry in entries.values():
                for waiting in entry.waiting:
                    if not waiting.done():
                        waiting.set_exception(Unanswered())
                entry.waiting.clear()
        for key, entry in waited_for.items():
            self._keep(key, entry)

    def _keep(self, key: K, entry: _Entry[C, A]) -> None:
        """Keep a change for later. What no longer fits is dropped, so that what is kept stays kept."""
        if self._size_bytes is None:
            return
        earlier = self._kept.get(key)
        if earlier is not None:
            entry.change = self._merge(earlier.change, entry.change)
        entry.size_bytes = self._size_bytes(entry.change)
        more_bytes = entry.size_bytes - (earlier.size_bytes if earlier else 0)
        if self._kept_bytes + more_bytes > self._most_bytes:
            self.counts.dropped += 1
            return
        self._kept[key] = entry
        self._kept_bytes += more_bytes


def _taken(entries: dict[K, _Entry[C, A]]) -> dict[K, _Entry[C, A]]:
    taken = dict(islice(entries.items(), MOST_IN_A_BATCH))
    for key in taken:
        del entries[key]
    return taken


def _pauses() -> Iterator[float]:
    yield from _RETRY_SECONDS
    while True:
        yield _RETRY_SECONDS[-1]


def _is_of_an_item(error: psycopg2.Error) -> bool:
    """Whether the database refuses what some item says."""
    is_of_data = isinstance(error, psycopg2.DataError | psycopg2.IntegrityError)
    return is_of_data or (error.pgcode or "").startswith(_TOO_LARGE)

"""Keeps counts in memory, and writes them every few seconds and at the end.

Counting never waits for where they are written. What can't be written is kept and sent again; meanwhile
counting goes on, within the tally's bound. Where an answer didn't come it isn't known whether a batch was
written, so batches are numbered, and each counts only once.

Where no event loop runs it, as under plain WSGI, what a request counts is written by itself.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Lock
from typing import Any, Generic
from uuid import uuid4

from analytics.services import Batch
from analytics.stores import Counts, Send, Store, StoreAway, StoreRefuses
from analytics.tallies import Key, Tally

logger = logging.getLogger(__name__)

# The loop has no time for statements of any length.
MOST_IN_STATEMENT = 500
# There are several buffers, and gunicorn doesn't wait long for a worker to end.
LAST_SECONDS = 2.0
_LAST_RETRY_SECONDS = 0.1


class Buffer(Generic[Key]):
    """The counts of one kind that a process has made and not yet written to one store.

    Args:
        tally: what has been counted since the last write. While the buffer runs it belongs to the event loop.
        store: where counts are written to.
        seconds: how long counts wait.
    """

    def __init__(
        self,
        tally: Tally[Key],
        store: Store[Key],
        *,
        seconds: float,
    ) -> None:
        self._tally = tally
        self._store = store
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsent: deque[tuple[Batch, Counts[Key]]] = deque()
        self._writing_at_once = Lock()
        self._failed = 0
        self._refused = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write every few seconds inside the block, and what is left at its end. After forking."""
        self._loop = asyncio.get_running_loop()
        self._writer, self._number = uuid4(), 0
        writing = asyncio.create_task(self._keep_writing())
        try:
            yield
        finally:
            self._loop = None
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self._write_the_rest()

    def from_thread(self, add: Callable[..., None], *arguments: Any) -> None:
        """Have something added to the tally, from a thread that isn't the loop's."""
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(add, *arguments)
            return
        with self._writing_at_once:
            add(*arguments)
            counts = list(self._tally.take().items())
        if counts:
            self._write_at_once(counts)

    def state(self) -> dict[str, int]:
        """Return what metrics show."""
        return {
            "waiting": len(self._tally) + sum(len(counts) for _, counts in self._unsent),
            "dropped": self._tally.dropped + self._refused,
            "failed_writes": self._failed,
        }

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self._try()

    async def _write_the_rest(self) -> None:
        try:
            async with asyncio.timeout(LAST_SECONDS):
                while not await self._try():
                    await asyncio.sleep(_LAST_RETRY_SECONDS)
        except TimeoutError:
            logger.error(
                "The process ends with %d counts that could not be written.", self.state()["waiting"]
            )

    async def _try(self) -> bool:
        try:
            await self._write()
        except StoreAway as error:
            self._failed += 1
            logger.warning("Counts wait to be written: %s", error)
            return False
        return True

    async def _write(self) -> None:
        if not self._unsent and not self._tally:
            return
        async with self._store.sending() as send:
            await self._send(send)  # as it was sent before
            self._prepare()
            await self._send(send)

    def _prepare(self) -> None:
        counts = list(self._tally.take().items())
        for start in range(0, len(counts), MOST_IN_STATEMENT):
            self._number += 1
            batch = Batch(self._writer, self._number)
            self._unsent.append((batch, counts[start : start + MOST_IN_STATEMENT]))

    async def _send(self, send: Send[Key]) -> None:
        while self._unsent:
            batch, counts = self._unsent[0]
            try:
                await send(counts, batch)
            except StoreRefuses:
                logger.exception("Counts that are not taken are dropped.")
                self._refused += sum(count for _, count in counts)
            self._unsent.popleft()

    def _write_at_once(self, counts: Counts[Key]) -> None:
        try:
            self._store.write_at_once(counts)
        except (StoreAway, StoreRefuses) as error:
            self._failed += 1
            self._refused += sum(count for _, count in counts)
            logger.warning("Counts are lost: %s", error)

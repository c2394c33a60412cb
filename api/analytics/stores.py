"""Where counts are kept: in PostgreSQL, or in InfluxDB."""

import asyncio
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from threading import BoundedSemaphore
from typing import Generic, TypeAlias
from uuid import uuid4

import psycopg2
from django.db import DatabaseError, connections

from analytics.services import Batch, Statement
from analytics.tallies import Key
from core.postgres import AsyncConnection, DatabaseUnavailable
from core.routing import counts_database

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 5.0
# Requests that were answered without an event loop, and whose counts aren't in InfluxDB yet.
_MOST_WAITING = 1000
_room = BoundedSemaphore(_MOST_WAITING)

Counts: TypeAlias = Sequence[tuple[Key, int]]
# Writes a batch. One that was written before changes nothing.
Send: TypeAlias = Callable[[Counts[Key], Batch], Awaitable[None]]


class StoreAway(Exception):
    """Counts weren't taken, or it isn't known whether they were."""


class StoreRefuses(Exception):
    """Counts are not taken, however often they are sent."""


class Store(ABC, Generic[Key]):
    """Somewhere to write counts of one kind. Writing raises `StoreAway` or `StoreRefuses`."""

    @abstractmethod
    def sending(self) -> AbstractAsyncContextManager[Send[Key]]:
        """Return, for a block, what sends batches from an event loop."""

    @abstractmethod
    def write_at_once(self, counts: Counts[Key]) -> None:
        """Write what a request has counted where no event loop runs."""


class InPostgres(Store[Key]):
    """The tables of buckets.

    Args:
        statement: returns what writes counts, and with a batch does so only once.
    """

    def __init__(self, statement: Callable[[Counts[Key], Batch | None], Statement]) -> None:
        self.statement = statement

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Send[Key]]:
        try:
            connection = await AsyncConnection.open(counts_database(), deadline_seconds=DEADLINE_SECONDS)
        except (DatabaseUnavailable, psycopg2.Error) as error:
            raise StoreAway(str(error)) from error

        async def send(counts: Counts[Key], batch: Batch) -> None:
            try:
                await connection.execute(*self.statement(counts, batch), deadline_seconds=DEADLINE_SECONDS)
            except (psycopg2.DataError, psycopg2.IntegrityError) as error:
                raise StoreRefuses(str(error)) from error
            except (DatabaseUnavailable, psycopg2.Error) as error:
                raise StoreAway(str(error)) from error

        try:
            yield send
        finally:
            connection.close()

    def write_at_once(self, counts: Counts[Key]) -> None:
        try:
            with connections[counts_database()].cursor() as cursor:
                cursor.execute(*self.statement(counts, None))
        except DatabaseError as error:
            raise StoreRefuses(str(error)) from error


class InInfluxDB(Store[Key]):
    """InfluxDB, written to by threads: neither the event loop nor a request waits for it.

    Args:
        points: returns the lines of a batch.
        write: writes lines.
    """

    def __init__(
        self, points: Callable[[Counts[Key], Batch], list[str]], write: Callable[[list[str]], None]
    ) -> None:
        self._points = points
        self._write_lines = write

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Send[Key]]:
        async def send(counts: Counts[Key], batch: Batch) -> None:
            await asyncio.to_thread(self._write, counts, batch)

        yield send

    def write_at_once(self, counts: Counts[Key]) -> None:
        if not _room.acquire(blocking=False):
            raise StoreAway(f"{_MOST_WAITING} requests' counts wait for InfluxDB.")
        _writer().submit(self._write_for_request, counts)

    def _write_for_request(self, counts: Counts[Key]) -> None:
        try:
            self._write(counts, Batch(uuid4(), 1))
        except (StoreAway, StoreRefuses) as error:
            logger.warning("Counts are lost: %s", error)
        finally:
            _room.release()

    def _write(self, counts: Counts[Key], batch: Batch) -> None:
        try:
            lines = self._points(counts, batch)
        except DatabaseError as error:
            raise StoreAway(str(error)) from error
        finally:
            connections.close_all()  # this thread's, which nothing else would close
        self._write_lines(lines)


@cache
def _writer() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="influxdb")


os.register_at_fork(after_in_child=_writer.cache_clear)  # its thread doesn't come along

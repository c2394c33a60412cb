"""PostgreSQL with a deadline on every step, for those who serve requests meanwhile.

A blocking call has no deadline that a frozen server respects: its kernel goes on acknowledging, so
keepalives and the timeouts of TCP see nothing. `AsyncConnection` is psycopg2's asynchronous mode, driven
by the loop that serves requests; a thread of its own would starve beside a busy loop. Where a thread must
block, as Django's ORM does, `cut_off_after` closes the line under it when time is up.
"""

import asyncio
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2 import extensions

Rows = list[tuple[Any, ...]]

_WATCHDOG_SECONDS = 0.1
_WATCHDOG_IDLE_SECONDS = 10.0


class DatabaseUnavailable(Exception):
    """The connection could not be made, or was lost, or didn't answer in time. It is closed."""


class AsyncConnection:
    """One connection in autocommit; one statement at a time.

    Attributes:
        on_notify: called on the loop with the payload of each notification.
        on_lost: called on the loop when the connection is found to be gone while nothing is asked of it.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._loop = asyncio.get_running_loop()
        self._watched: int | None = None
        self.on_notify: Callable[[str], None] | None = None
        self.on_lost: Callable[[], None] | None = None

    @classmethod
    async def open(cls, alias: str = "default", *, deadline_seconds: float) -> "AsyncConnection":
        """Connect to a database of the settings; of several hosts to the first that will do.

        Raises:
            DatabaseUnavailable: refused, unreachable, or not done within the deadline.
        """
        now = asyncio.get_running_loop().time
        until = now() + deadline_seconds
        # The driver would go through the hosts by itself, but spend all the time on one that is silent.
        hosts = _one_by_one(connections[alias].get_connection_params())
        for left, parameters in zip(range(len(hosts), 0, -1), hosts, strict=True):
            try:
                return await cls._open(parameters, now() + (until - now()) / left)
            except DatabaseUnavailable:
                if left == 1:
                    raise
        raise AssertionError  # there is one host at least

    @classmethod
    async def _open(cls, parameters: dict[str, Any], until: float) -> "AsyncConnection":
        connection: AsyncConnection | None = None
        try:
            async with asyncio.timeout_at(until):
                parameters = await _resolved(parameters)
            connection = cls(psycopg2.connect(**parameters, async_=True))
            await connection._complete(until)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, psycopg2.Error | OSError | TimeoutError):
                raise DatabaseUnavailable(f"No connection to the database: {_first_line(error)}") from error
            raise
        return connection

    async def execute(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), *, deadline_seconds: float
    ) -> Rows:
        """Run one statement and return its rows.

        Raises:
            DatabaseUnavailable: the connection is gone, or there was no answer within the deadline; what
                the statement did is then not known.
            psycopg2.Error: the database refused the statement; the connection goes on.
        """
        self.unwatch()
        try:
            cursor = self._raw.cursor()
            cursor.execute(sql, parameters)
            await self._complete(self._loop.time() + deadline_seconds)
            self._report_notifications()
            return cursor.fetchall() if cursor.description is not None else []
        except TimeoutError as error:
            self.close()
            raise DatabaseUnavailable("The database did not answer in time.") from error
        except (psycopg2.OperationalError, psycopg2.InterfaceError, OSError) as error:
            if isinstance(error, psycopg2.Error) and error.pgcode is not None and not self.closed:
                raise  # the server said no and stands: a lock timeout, a statement timeout
            self.close()
            raise DatabaseUnavailable(
                f"The connection to the database was lost: {_first_line(error)}"
            ) from error
        except asyncio.CancelledError:
            self.close()  # half an answer may be on its way
            raise

    async def is_pooled(self, *, deadline_seconds: float) -> bool:
        """Whether another process of the server answers than the one that was connected to.

        A pooler stands between, and what is set for the session may be gone with the next statement.
        """
        ((answering,),) = await self.execute("SELECT pg_backend_pid()", deadline_seconds=deadline_seconds)
        return bool(answering != self._raw.get_backend_pid())

    def watch(self) -> None:
        """Report notifications as they come, until the next statement."""
        self._watched = self._raw.fileno()
        self._loop.add_reader(self._watched, self._on_readable)
        # What came in one piece with the last answer has been read already: nothing would wake the loop.
        self._on_readable()

    def unwatch(self) -> None:
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
            self._watched = None

    def close(self) -> None:
        self.unwatch()
        self._raw.close()  # also where psycopg2 knows that it is lost: the socket is still ours

    @property
    def closed(self) -> bool:
        return bool(self._raw.closed)

    def _on_readable(self) -> None:
        try:
            self._raw.poll()
        except psycopg2.Error:
            self.close()
            if self.on_lost is not None:
                self.on_lost()
            return
        self._report_notifications()

    def _report_notifications(self) -> None:
        notifications, self._raw.notifies = self._raw.notifies, []
        if self.on_notify is not None:
            for notification in notifications:
                self.on_notify(notification.payload)

    async def _complete(self, until: float) -> None:
        while (state := self._raw.poll()) != extensions.POLL_OK:
            await self._ready(self._raw.fileno(), until, for_writing=state == extensions.POLL_WRITE)

    async def _ready(self, descriptor: int, until: float, *, for_writing: bool) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        add, remove = (
            (self._loop.add_writer, self._loop.remove_writer)
            if for_writing
            else (self._loop.add_reader, self._loop.remove_reader)
        )
        add(descriptor, _settle, ready)
        try:
            async with asyncio.timeout_at(until):
                await ready
        except TimeoutError:
            # A loop that was held up itself comes to its deadlines late, whatever has arrived meanwhile.
            if not _is_ready(descriptor, for_writing=for_writing):
                raise
        finally:
            remove(descriptor)


@contextmanager
def cut_off_after(seconds: float, connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Give the block so many seconds with a blocking connection: then the line is cut, whatever it waits for.

    Whoever waits in the block gets the driver's error for a lost connection. Connecting is part of the block
    only if the connection isn't open yet; `connect_timeout` is what limits that.
    """
    connection.ensure_connection()
    line = line_of(connection)
    _watchdog.watch(line, seconds)
    try:
        yield
    finally:
        _watchdog.release(line)


def line_of(connection: BaseDatabaseWrapper) -> socket.socket:
    """Return the line of an open connection, for `cut` from any thread; to be closed when it isn't needed."""
    return socket.socket(fileno=os.dup(connection.connection.fileno()))


def cut(line: socket.socket) -> None:
    """End a connection whatever it waits for; its owner gets the driver's error for a lost connection."""
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # lost already


class _Watchdog:
    """Cuts lines whose time is up. One thread for all: starting one costs a hand-over beside a busy loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadlines: dict[socket.socket, float] = {}
        self._thread: threading.Thread | None = None

    def watch(self, line: socket.socket, seconds: float) -> None:
        with self._lock:
            self._deadlines[line] = time.monotonic() + seconds
            if self._thread is None or not self._thread.is_alive():  # a fork leaves it behind
                self._thread = threading.Thread(target=self._run, name="database deadlines", daemon=True)
                self._thread.start()

    def release(self, line: socket.socket) -> None:
        with self._lock:
            del self._deadlines[line]
        line.close()

    def _run(self) -> None:
        idle_since = time.monotonic()
        while True:
            time.sleep(_WATCHDOG_SECONDS)
            with self._lock:
                now = time.monotonic()
                for line, deadline in self._deadlines.items():
                    if deadline <= now:
                        cut(line)
                if self._deadlines:
                    idle_since = now
                elif now - idle_since > _WATCHDOG_IDLE_SECONDS:
                    self._thread = None
                    return


_watchdog = _Watchdog()


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _is_ready(descriptor: int, *, for_writing: bool) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT if for_writing else select.POLLIN)
    return bool(poll.poll(0))


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def _one_by_one(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of each host, where `host` names several: `one,other`, with a port or as many."""
    hosts = str(parameters.get("host") or "").split(",")
    if len(hosts) == 1 or "hostaddr" in parameters:
        return [parameters]
    ports = str(parameters.get("port") or "").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    return [
        {**parameters, "host": host, **({"port": port} if port else {})}
        for host, port in zip(hosts, ports, strict=True)
    ]


async def _resolved(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return connection parameters with the host's address looked up off the loop: libpq would block."""
    parameters = {name: value for name, value in parameters.items() if name not in _NOT_FOR_LIBPQ}
    host = str(parameters.get("host") or "")
    if not host or host.startswith("/") or "," in host or "hostaddr" in parameters:
        return parameters
    found = await asyncio.get_running_loop().getaddrinfo(
        host, parameters.get("port") or 5432, type=socket.SOCK_STREAM
    )
    return {**parameters, "hostaddr": found[0][4][0]}


# What Django passes to psycopg2 itself, which has no place in a connection made by hand.
_NOT_FOR_LIBPQ = {"cursor_factory", "connection_factory", "async_"}

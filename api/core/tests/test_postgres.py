"""Connections with deadlines, against a real server: answers, notifications, and every way to lose it."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg2
import pytest
from django.db import OperationalError, connection, connections

from core.postgres import AsyncConnection, DatabaseUnavailable, cut_off_after

T = TypeVar("T")

pytestmark = pytest.mark.django_db(transaction=True)

PATIENT_SECONDS = 10.0


def with_connection(use: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async def main() -> T:
        opened = await AsyncConnection.open(deadline_seconds=PATIENT_SECONDS)
        try:
            return await use(opened)
        finally:
            opened.close()

    return asyncio.run(main())


async def backend_of(opened: AsyncConnection) -> int:
    ((pid,),) = await opened.execute("SELECT pg_backend_pid()", deadline_seconds=PATIENT_SECONDS)
    return int(pid)


async def elsewhere(sql: str) -> None:
    """Run a statement on another connection."""

    def run() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
        finally:
            connection.close()

    await asyncio.to_thread(run)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Let a server process stand still, as on a machine that hangs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_statements_return_their_rows():
    async def use(opened: AsyncConnection) -> Any:
        return await opened.execute(
            "SELECT number * %s FROM generate_series(1, 3) AS number", [10], deadline_seconds=PATIENT_SECONDS
        )

    rows = with_connection(use)

    assert rows == [(10,), (20,), (30,)]


def test_a_large_answer_and_a_large_question_pass_whole():
    text = "x" * 3_000_000

    async def use(opened: AsyncConnection) -> Any:
        return await opened.execute("SELECT %s || 'y'", [text], deadline_seconds=PATIENT_SECONDS)

    ((answer,),) = with_connection(use)

    assert answer == text + "y"


def test_a_refused_statement_raises_and_the_connection_goes_on():
    async def use(opened: AsyncConnection) -> Any:
        with pytest.raises(psycopg2.Error):
            await opened.execute("SELECT no_such_column", deadline_seconds=PATIENT_SECONDS)
        return await opened.execute("SELECT 1", deadline_seconds=PATIENT_SECONDS)

    assert with_connection(use) == [(1,)]


def test_a_statement_timeout_of_the_server_is_no_lost_connection():
    async def use(opened: AsyncConnection) -> Any:
        await opened.execute("SET statement_timeout = 20", deadline_seconds=PATIENT_SECONDS)
        with pytest.raises(psycopg2.OperationalError):
            await opened.execute("SELECT pg_sleep(5)", deadline_seconds=PATIENT_SECONDS)
        return opened.closed

    assert with_connection(use) is False


def test_notifications_are_reported_while_watching_and_with_answers():
    heard: list[str] = []

    async def use(opened: AsyncConnection) -> None:
        opened.on_notify = heard.append
        await opened.execute("LISTEN told", deadline_seconds=PATIENT_SECONDS)
        # To itself: comes in one piece with the answer.
        await opened.execute("SELECT pg_notify('told', 'one')", deadline_seconds=PATIENT_SECONDS)
        opened.watch()
        await elsewhere("NOTIFY told, 'two'")
        for _ in range(500):
            if len(heard) == 2:
                return
            await asyncio.sleep(0.01)

    with_connection(use)

    assert heard == ["one", "two"]


def test_a_terminated_backend_is_noticed_at_once():
    async def use(opened: AsyncConnection) -> float:
        pid = await backend_of(opened)
        lost = asyncio.Event()
        opened.on_lost = lost.set
        opened.watch()
        await elsewhere(f"SELECT pg_terminate_backend({pid})")
        start = time.monotonic()
        await asyncio.wait_for(lost.wait(), PATIENT_SECONDS)
        with pytest.raises(DatabaseUnavailable):
            await opened.execute("SELECT 1", deadline_seconds=PATIENT_SECONDS)
        return time.monotonic() - start

    assert with_connection(use) < 2.0


def test_a_frozen_server_is_given_up_when_the_deadline_is_over():
    async def use(opened: AsyncConnection) -> tuple[float, int, bool]:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.01)

        with frozen(await backend_of(opened)):
            turning = asyncio.create_task(turn())
            start = time.monotonic()
            with pytest.raises(DatabaseUnavailable):
                await opened.execute("SELECT 1", deadline_seconds=0.3)
            taken = time.monotonic() - start
            turning.cancel()
        return taken, turns, opened.closed

    taken, turns, closed = with_connection(use)

    assert 0.3 <= taken < 3.0
    assert turns > 2  # the loop served others meanwhile
    assert closed


@pytest.mark.parametrize("turns", range(4))
def test_a_loop_that_was_held_up_does_not_take_the_server_for_frozen(turns):
    async def use(opened: AsyncConnection) -> list[tuple[object, ...]]:
        asking = asyncio.create_task(opened.execute("SELECT 1", deadline_seconds=0.2))
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(0.5)
        return await asking

    assert with_connection(use) == [(1,)]


def test_a_cancelled_statement_closes_the_connection():
    async def use(opened: AsyncConnection) -> bool:
        sleeping = asyncio.create_task(opened.execute("SELECT pg_sleep(1)", deadline_seconds=PATIENT_SECONDS))
        await asyncio.sleep(0.05)
        sleeping.cancel()
        await asyncio.gather(sleeping, return_exceptions=True)
        return opened.closed

    assert with_connection(use)


@pytest.fixture
def address(monkeypatch):
    """Point the settings at an address for as long as the test runs."""

    def point(host: str, port: int) -> None:
        monkeypatch.setitem(connections.databases["default"], "HOST", host)
        monkeypatch.setitem(connections.databases["default"], "PORT", port)

    return point


def test_a_refused_connection_is_said_to_be_unavailable(address):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address("localhost", unused.getsockname()[1])

        with pytest.raises(DatabaseUnavailable):
            asyncio.run(AsyncConnection.open(deadline_seconds=PATIENT_SECONDS))


def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up(address):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address("127.0.0.1", silent.getsockname()[1])
        start = time.monotonic()

        with pytest.raises(DatabaseUnavailable):
            asyncio.run(AsyncConnection.open(deadline_seconds=0.2))

    assert time.monotonic() - start < 3.0


def test_a_blocked_thread_is_freed_when_its_time_is_over():
    raised: list[BaseException] = []
    pids: list[int] = []
    asked = threading.Event()

    def ask() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.append(cursor.fetchone()[0])
            with cut_off_after(0.5, connection), connection.cursor() as cursor:
                asked.set()
                cursor.execute("SELECT pg_sleep(0.2), pg_sleep(0.2)")
                cursor.execute("SELECT pg_sleep(2)")
        except OperationalError as error:
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    asked.wait(PATIENT_SECONDS)
    with frozen(pids[0]):
        thread.join(PATIENT_SECONDS)

    assert not thread.is_alive()
    assert len(raised) == 1


def test_a_block_that_is_done_in_time_keeps_its_connection():
    with cut_off_after(PATIENT_SECONDS, connection), connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    with connection.cursor() as cursor:
        cursor.execute("SELECT 2")
        assert cursor.fetchone() == (2,)


def test_of_several_hosts_the_first_that_answers_is_taken_though_one_before_is_silent(monkeypatch):
    settings = connections.databases["default"]
    answering = connection.get_connection_params()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # its kernel takes connections, nobody else does
        hosts = f"127.0.0.1,{answering['host']}"
        ports = f"{silent.getsockname()[1]},{answering.get('port') or 5432}"
        monkeypatch.setitem(settings, "HOST", hosts)
        monkeypatch.setitem(settings, "PORT", ports)
        monkeypatch.setitem(
            settings, "OPTIONS", {k: v for k, v in settings["OPTIONS"].items() if k not in {"host", "port"}}
        )

        async def main() -> int:
            opened = await AsyncConnection.open(deadline_seconds=2)
            try:
                assert not await opened.is_pooled(deadline_seconds=PATIENT_SECONDS)
                return await backend_of(opened)
            finally:
                opened.close()

        assert asyncio.run(main())

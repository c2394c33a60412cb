"""What is counted in memory arrives in the database, once."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from analytics import buffer, stores
from analytics.buffer import Buffer
from analytics.kept import evaluations_stores
from analytics.models import CountsWriter, FeatureEvaluationBucket, RequestBucket, Resource
from analytics.services import add_requests
from analytics.stores import InPostgres
from analytics.tallies import EvaluationTally, RequestTally
from analytics.tests.influxdb import BUCKET, ORGANISATION, TOKEN, influxdb_server
from sdk import usage
from sdk.tests.workers import database_away, eventually

pytestmark = pytest.mark.django_db(transaction=True)


class Process:
    """A buffer that runs on a loop in a thread, as in a worker."""

    def __init__(self, *, seconds: float = 0.05, most: int | None = None) -> None:
        self.tally = RequestTally(most=most)
        self.buffer = Buffer(self.tally, InPostgres(add_requests), seconds=seconds)
        self._leaving = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=[self._run()])
        self._thread.start()
        assert self._started.wait(10)

    def count(self, times: int = 1, *, environment_id: int = 7) -> None:
        for _ in range(times):
            self.buffer.from_thread(self.tally.add, environment_id, Resource.FLAGS, "\t\t")

    def end(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._leaving.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self.buffer.running():
            self._started.set()
            await self._leaving.wait()


@pytest.fixture
def started() -> Iterator[Callable[..., Process]]:
    """Start processes that end with the test: `started(seconds=0.05)`."""
    processes: list[Process] = []

    def start(**options: Any) -> Process:
        processes.append(Process(**options))
        return processes[-1]

    yield start
    for each in processes:
        each.end()


def total() -> int:
    return sum(RequestBucket.objects.values_list("total_count", flat=True))


def test_counts_are_written_every_few_seconds(started):
    process = started()

    process.count(10)
    eventually(lambda: total() == 10)
    process.count(5)

    eventually(lambda: total() == 15)


def test_what_is_left_is_written_at_the_end(started):
    process = started(seconds=3600)
    process.count(10)

    process.end()

    assert total() == 10


def test_counts_of_many_threads_and_processes_add_up(started):
    processes = [started(), started()]

    with ThreadPoolExecutor(8) as pool:
        for process in processes * 4:
            pool.submit(process.count, 500)
    for process in processes:
        process.end()

    assert total() == 4000


def test_one_write_takes_one_statement_for_many_counts(started, monkeypatch):
    statements = []

    def noting(*arguments: Any) -> Any:
        statements.append(arguments)
        return add_requests(*arguments)

    process = started(seconds=3600)
    process.buffer._store = InPostgres(noting)
    for environment_id in range(100):
        process.count(3, environment_id=environment_id)

    process.end()

    assert (len(statements), total()) == (1, 300)


def test_many_counts_go_in_several_statements(started, monkeypatch):
    monkeypatch.setattr(buffer, "MOST_IN_STATEMENT", 7)
    process = started(seconds=3600)
    for environment_id in range(100):
        process.count(environment_id=environment_id)

    process.end()

    assert total() == 100
    assert CountsWriter.objects.get().batch == 15


def test_counts_wait_while_the_database_is_away_and_land_once(started):
    process = started()
    process.count(10)
    eventually(lambda: total() == 10)

    with database_away():
        process.count(5)
        eventually(lambda: process.buffer.state()["failed_writes"] >= 2)
        process.count(3)
        before = total()

    assert before == 10
    eventually(lambda: total() == 18)
    process.end()
    assert (total(), process.buffer.state()["dropped"]) == (18, 0)


def test_what_was_sent_without_an_answer_lands_once(started, monkeypatch):
    """A server that is stuck may carry a statement out long after nobody waits for it."""
    monkeypatch.setattr(stores, "DEADLINE_SECONDS", 0.2)
    process = started()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE analytics_requestbucket IN SHARE MODE")

        process.count(10)
        eventually(lambda: process.buffer.state()["failed_writes"] >= 3)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        cursor.execute(waiting)
        assert cursor.fetchone()[0] >= 2
    process.count(5)
    process.end()

    with connection.cursor() as cursor:
        eventually(lambda: cursor.execute(waiting) or cursor.fetchone()[0] == 0)
    assert total() == 15


def test_what_waits_is_bounded_while_the_database_is_away(started):
    process = started(most=10)

    with database_away():
        for environment_id in range(100):
            process.count(environment_id=environment_id)
        eventually(lambda: process.buffer.state()["failed_writes"] >= 1)
        for environment_id in range(100):
            process.count(environment_id=environment_id)
        eventually(lambda: process.buffer.state()["dropped"] >= 180)
        state = process.buffer.state()
    process.end()

    assert state["waiting"] <= 20
    assert total() + state["dropped"] == 200


def test_what_the_database_refuses_does_not_hold_up_the_rest(started, monkeypatch):
    monkeypatch.setattr(buffer, "MOST_IN_STATEMENT", 1)
    process = started(seconds=3600)
    process.buffer._store = InPostgres(
        lambda counts, batch: add_requests(
            [(key, count if key[0] < 9 else 2**63) for key, count in counts], batch
        )
    )
    for environment_id in (9, 1):
        process.count(4, environment_id=environment_id)

    process.end()

    assert (total(), process.buffer.state()["dropped"], process.buffer.state()["waiting"]) == (4, 4, 0)


def test_the_end_does_not_wait_long_for_a_database_that_is_away(started, monkeypatch, caplog):
    monkeypatch.setattr(buffer, "LAST_SECONDS", 0.3)
    process = started(seconds=3600)
    process.count(10)

    with database_away():
        process.end()

    assert "ends with 1 counts that could not be written" in caplog.text
    assert total() == 0


def test_while_one_store_is_away_evaluations_arrive_in_the_other(settings, monkeypatch):
    with influxdb_server() as influxdb:
        settings.INFLUXDB_URL, settings.INFLUXDB_TOKEN = influxdb.url, "not yet valid"
        settings.INFLUXDB_ORG, settings.INFLUXDB_BUCKET = ORGANISATION, BUCKET
        settings.COUNTS_ARE_IN_INFLUXDB = True
        pairs = [
            (tally, Buffer(tally, store, seconds=0.01))
            for store in evaluations_stores()
            for tally in [EvaluationTally()]
        ]
        monkeypatch.setattr(usage, "evaluation_counts", pairs)
        (_, in_postgres), (_, in_influxdb) = pairs

        async def go_on() -> None:
            async with in_postgres.running(), in_influxdb.running():
                for failures, number in enumerate((3, 4)):
                    usage.count_evaluations(7, {"checkout": number})
                    while in_postgres.state()["waiting"] or in_influxdb.state()["failed_writes"] <= failures:
                        await asyncio.sleep(0.005)
                assert in_influxdb.state()["waiting"]
                settings.INFLUXDB_TOKEN = TOKEN

        asyncio.run(asyncio.wait_for(go_on(), 20))
        usage.count_evaluations_from_thread(7, {"checkout": 5})  # where no loop runs any more
        stores._writer().submit(int).result(10)

        assert sum(influxdb.counts().values()) == 12
    assert sum(FeatureEvaluationBucket.objects.values_list("total_count", flat=True)) == 12
    state = usage.evaluations_state()
    assert state["failed_writes"] >= 2
    assert (state["waiting"], state["dropped"]) == (0, 0)


def test_where_no_loop_runs_counts_are_written_at_once():
    tally = RequestTally()
    written_at_once = Buffer(tally, InPostgres(add_requests), seconds=3600)

    for _ in range(3):
        written_at_once.from_thread(tally.add, 7, Resource.FLAGS, "\t\t")

    assert total() == 3
    assert not CountsWriter.objects.exists()

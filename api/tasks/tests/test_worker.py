"""Workers at work, in threads and in processes of their own that may be killed."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import connection

from core.tests.threads import at_once
from tasks import queue, worker
from tasks.in_server import WorkerInServer
from tasks.models import Job, RecurringTask, State
from tasks.queue import LEASE
from tasks.registry import RECURRING_ATTEMPTS, recurring, task
from tasks.services import enqueue, run_due, switch_on
from tasks.tests.workers import processes, wait_until
from tasks.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(worker, "_TIDY_SECONDS", 0.05)
    monkeypatch.setattr(worker, "_HEED_SECONDS", 0.2)


@pytest.fixture
def notes(tmp_path) -> Path:
    path = tmp_path / "notes"
    path.touch()
    return path


def write_down(notes: Path, words: str) -> None:
    with notes.open("a") as file:
        file.write(f"{words}\n")


@contextmanager
def working(
    *, threads: int = 2, poll_seconds: float = 0.02, lease: timedelta = LEASE, grace_seconds: float = 0.1
) -> Iterator[Worker]:
    at_work = Worker(threads=threads, poll_seconds=poll_seconds, lease=lease)
    thread = Thread(target=at_work.run)
    thread.start()
    try:
        yield at_work
    finally:
        at_work.stop()
        thread.join()
        at_work.finish(grace_seconds)


def test_a_job_that_kills_its_workers_is_run_again_by_others_and_is_dead_at_its_limit(notes):
    @task(name="tests.kill", attempts=2)
    def kill() -> None:
        write_down(notes, "began")
        os.kill(os.getpid(), signal.SIGKILL)

    job = Job.objects.get(pk=enqueue(kill))

    with processes(1) as first, processes(1) as second, processes(1) as third:
        wait_until(lambda: Job.objects.filter(pk=job.pk, state=State.DEAD).exists())

        killed = [process for process in (*first, *second, *third) if process.exitcode == -signal.SIGKILL]
    job.refresh_from_db()
    assert (len(killed), notes.read_text()) == (2, "began\n" * 2)
    assert (job.attempts, job.last_error) == (2, queue.WORKER_ENDED)


def test_four_workers_run_each_of_many_jobs_once(notes):
    @task(name="tests.note")
    def note(*, number: int) -> None:
        write_down(notes, str(number))

    for number in range(500):
        enqueue(note, arguments={"number": number})

    with processes(4):
        wait_until(lambda: not Job.objects.exclude(state=State.DONE).exists())

    assert Counter(notes.read_text().split()) == Counter(map(str, range(500)))
    assert len(set(Job.objects.values_list("worker", flat=True))) == 4


def test_a_job_begins_as_soon_as_it_is_committed_whatever_the_hosts_clock_says(notes, monkeypatch):
    @task(name="tests.note")
    def note() -> None:
        write_down(notes, "ran")

    monkeypatch.setattr("time.time", lambda: 0.0)
    with working(poll_seconds=60):
        enqueue(note)

        wait_until(lambda: notes.read_text() == "ran\n", seconds=5)


@pytest.mark.parametrize("in_transaction", [True, False])
def test_a_job_that_waits_for_the_database_too_long_is_ended(in_transaction, monkeypatch):
    monkeypatch.setattr(worker, "_HEED_SECONDS", 20.0)  # however busy the machine is

    @task(name="tests.sleep", timeout=timedelta(seconds=0.2), attempts=1, in_transaction=in_transaction)
    def sleep() -> None:
        Job.objects.create(task="made before", most_attempts=1, state=State.DISCARDED)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")

    job = Job.objects.get(pk=enqueue(sleep))

    with working(threads=1) as at_work:
        wait_until(lambda: job_state(job) == State.DEAD)
        wait_until(lambda: at_work.state() == {"running": 0, "threads": 1, "stuck": 0})
    job.refresh_from_db()
    assert (job.state, job.last_error) == (State.DEAD, "It took longer than 0.2 seconds and was ended.")
    assert Job.objects.filter(task="made before").exists() is not in_transaction


def test_a_job_that_never_returns_is_left_behind_and_others_go_on(notes):
    release = Event()

    @task(name="tests.hang", timeout=timedelta(seconds=0.1), attempts=1)
    def hang() -> None:
        release.wait(30)
        write_down(notes, "hung on")

    @task(name="tests.note")
    def note() -> None:
        write_down(notes, "ran")

    job = Job.objects.get(pk=enqueue(hang))
    with working(threads=1) as at_work:
        wait_until(lambda: job_state(job) == State.DEAD)
        enqueue(note)

        wait_until(lambda: notes.read_text() == "ran\n")
        assert at_work.state()["stuck"] == 1
        release.set()
    job.refresh_from_db()
    assert "left behind" in job.last_error


def test_what_is_urgent_waits_for_nothing_that_takes_long(notes):
    release = Event()

    @task(name="tests.hang")
    def hang() -> None:
        release.wait(30)

    @task(name="tests.urgent", priority=0)
    def urgent() -> None:
        write_down(notes, "ran")

    for _ in range(4):
        enqueue(hang)
    with working(threads=2):
        wait_until(lambda: Job.objects.filter(state=State.RUNNING).exists())
        enqueue(urgent)

        wait_until(lambda: notes.read_text() == "ran\n")
        assert Job.objects.filter(task="tests.hang", state=State.RUNNING).count() == 1
        release.set()


def test_what_does_not_end_in_time_is_given_back_and_its_attempt_does_not_count():
    began, release = Event(), Event()

    @task(name="tests.hang")
    def hang() -> None:
        began.set()
        release.wait(30)

    job = Job.objects.get(pk=enqueue(hang))
    with working():
        assert began.wait(10)

    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.WAITING, 0)
    release.set()


def test_a_long_job_keeps_its_lease(monkeypatch, notes):
    release = Event()

    @task(name="tests.hang")
    def hang() -> None:
        write_down(notes, "began")
        release.wait(30)

    enqueue(hang)
    with working(threads=1, lease=timedelta(seconds=0.3), grace_seconds=5):
        wait_until(lambda: notes.read_text() != "")
        first = Job.objects.get().leased_until
        assert first

        wait_until(lambda: Job.objects.filter(leased_until__gt=first + timedelta(seconds=0.3)).exists())

        assert queue.expire() == []
        release.set()
    assert Job.objects.get().state == State.DONE


def test_a_recurring_task_has_one_job_for_each_due_time_and_misses_are_made_up_for_by_one(notes):
    @recurring(name="tests.tidy", every=timedelta(hours=1))
    def tidy() -> None:
        write_down(notes, "tidied")

    queue.see([tidy])
    known = RecurringTask.objects.get()
    assert known.next_due_at.minute == known.next_due_at.second == 0
    assert queue.enqueue_turns([tidy]) == []
    RecurringTask.objects.update(next_due_at=known.next_due_at - timedelta(hours=5))

    enqueued = at_once(*[lambda: queue.enqueue_turns([tidy])] * 4)

    assert sorted(enqueued) == [[], [], [], ["tests.tidy"]]
    assert RecurringTask.objects.get().next_due_at == known.next_due_at
    RecurringTask.objects.update(next_due_at=known.next_due_at - timedelta(hours=3))
    assert queue.enqueue_turns([tidy]) == []  # the first isn't over
    assert run_due() == 1
    assert queue.enqueue_turns([tidy]) == ["tests.tidy"]
    assert run_due() == 1
    assert notes.read_text() == "tidied\n" * 2


def test_a_recurring_task_that_keeps_failing_is_switched_off_until_it_is_switched_on():
    @recurring(name="tests.fail", every=timedelta(hours=8))
    def fail() -> None:
        raise ValueError

    queue.see([fail])
    RecurringTask.objects.update(next_due_at=RecurringTask.objects.get().next_due_at - timedelta(days=1))
    queue.enqueue_turns([fail])
    waits = []
    for _ in range(RECURRING_ATTEMPTS):
        assert RecurringTask.objects.get().is_enabled
        Job.objects.update(run_at="2020-01-01T00:00Z")
        run_due()
        job = Job.objects.get()
        assert job.finished_at
        waits.append(round((job.run_at - job.finished_at) / timedelta(hours=1)))

    assert waits[:-1] == [1, 2, 4]
    assert (job.state, RecurringTask.objects.get().is_enabled) == (State.DEAD, False)
    assert queue.enqueue_turns([fail]) == []
    assert switch_on(RecurringTask.objects.all()) == 1
    assert queue.enqueue_turns([fail]) == ["tests.fail"]


def test_a_recurring_task_that_no_worker_has_is_forgotten():
    @recurring(name="tests.old", every=timedelta(hours=1))
    def old() -> None: ...

    @recurring(name="tests.new", every=timedelta(hours=1))
    def new() -> None: ...

    queue.see([old, new])
    RecurringTask.objects.update(seen_at="2020-01-01T00:00Z")

    queue.see([new])

    assert RecurringTask.objects.get().name == "tests.new"


def test_the_server_runs_jobs_in_a_thread(notes, settings):
    settings.TASK_RUN_METHOD = "SEPARATE_THREAD"

    @task(name="tests.note")
    def note() -> None:
        write_down(notes, "ran")

    enqueue(note)
    server = WorkerInServer()

    async def serve() -> None:
        async with server.running():
            while not notes.read_text():
                await asyncio.sleep(0.01)
            assert server.state()["stuck"] == 0

    asyncio.run(asyncio.wait_for(serve(), 20))
    assert Job.objects.get().state == State.DONE


def job_state(job: Job) -> str:
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)

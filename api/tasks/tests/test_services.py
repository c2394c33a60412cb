"""What an app sees of tasks: it enqueues, takes back, and finds them run."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from tasks import queue, registry
from tasks.models import Job, State
from tasks.registry import GiveUp, recurring, task
from tasks.services import cancel, discard, enqueue, retry, run_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def ran() -> list[dict]:
    return []


@pytest.fixture
def note(ran):
    @task(name="tests.note")
    def note(**arguments) -> None:
        ran.append(arguments)

    return note


def test_jobs_run_once_the_most_urgent_first_and_in_the_order_of_their_times(ran):
    @task(name="tests.urgent", priority=0)
    def urgent(**arguments) -> None:
        ran.append(arguments)

    @task(name="tests.usual")
    def usual(**arguments) -> None:
        ran.append(arguments)

    now = timezone.now()
    enqueue(usual, arguments={"number": 3}, run_at=now)
    enqueue("tests.usual", arguments={"number": 2}, run_at=now - timedelta(hours=1))
    enqueue(urgent, arguments={"number": 1}, run_at=now)
    enqueue(urgent, arguments={"number": 4}, run_at=now + timedelta(hours=1))

    assert run_due() == 3
    assert ran == [{"number": 1}, {"number": 2}, {"number": 3}]
    assert run_due() == 0
    assert sorted(Job.objects.values_list("state", "attempts")) == [("done", 1)] * 3 + [("waiting", 0)]


def test_what_is_rolled_back_is_not_run(note, ran):
    with transaction.atomic():
        enqueue(note)
        transaction.set_rollback(True)

    assert (run_due(), ran) == (0, [])


def test_of_one_key_one_job_waits_with_what_was_said_last(note, ran):
    later = timezone.now() + timedelta(hours=1)
    enqueue(note, arguments={"version": 1}, key="publish", run_at=later)
    enqueue(note, arguments={"version": 2}, key="publish")
    enqueue(note, arguments={"version": 3}, key="other", run_at=later)

    run_due()

    assert ran == [{"version": 2}]
    assert cancel("other")
    assert not cancel("other")
    assert Job.objects.get(key="other").state == State.DISCARDED
    enqueue(note, arguments={"version": 4}, key="other")
    assert run_due() == 1


def test_of_one_key_nothing_runs_side_by_side_and_a_failed_one_gives_way(note):
    enqueue(note, key="publish")
    (running,) = queue.take(registry.names(), 9, worker="first")
    enqueue(note, key="publish")

    assert queue.take(registry.names(), 9, worker="second") == []

    assert queue.fail(running, "no luck", delay=timedelta(0)) == "discarded"
    assert run_due() == 1


def test_a_job_that_fails_is_tried_again_later_and_dies_at_its_limit(caplog):
    @task(name="tests.fail", attempts=2, backoff=timedelta(seconds=100))
    def fail() -> None:
        raise ValueError("no luck with postgres://kim:s3cret@db/x and ser.s3cret")

    job = Job.objects.get(pk=enqueue(fail))

    run_due()

    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.WAITING, 1)
    wait = job.run_at - timezone.now()
    assert timedelta(seconds=90) < wait <= timedelta(seconds=101)
    assert run_due() == 0
    Job.objects.update(run_at=timezone.now())
    run_due()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.DEAD, 2)
    assert "ValueError: no luck" in job.last_error
    assert "test_services.py" in job.last_error
    assert "s3cret" not in job.last_error + caplog.text
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]


def test_a_dead_job_is_run_anew_or_discarded_by_hand(note, ran):
    @task(name="tests.hopeless")
    def hopeless() -> None:
        raise GiveUp("the address doesn't exist")

    enqueue(hopeless)
    run_due()
    assert Job.objects.get().state == State.DEAD

    assert retry(Job.objects.all()) == 1
    assert (run_due(), Job.objects.get().attempts) == (1, 1)
    assert discard(Job.objects.all()) == 1
    assert retry(Job.objects.filter(state=State.DONE)) == 0


def test_what_a_task_does_in_its_transaction_is_undone_where_somebody_else_has_the_job():
    @task(name="tests.slow", in_transaction=True)
    def slow() -> None:
        Job.objects.create(task="made by slow", most_attempts=1)
        Job.objects.filter(task="tests.slow").update(lease_token=uuid4())  # as another worker takes it

    enqueue(slow)

    run_due()

    assert not Job.objects.filter(task="made by slow").exists()


def test_sealed_arguments_are_not_in_the_row_and_unkept_rows_go(ran):
    @task(name="tests.secret", is_sealed=True, is_kept=False)
    def secret(**arguments) -> None:
        ran.append(arguments)

    enqueue(secret, arguments={"link": "https://example.org/s3cret"})

    assert "s3cret" not in str(Job.objects.get().arguments)
    assert "example" not in str(Job.objects.get().arguments)
    run_due()
    assert ran == [{"link": "https://example.org/s3cret"}]
    assert not Job.objects.exists()


def test_an_attempt_may_take_a_minute_and_one_at_a_recurring_task_half_an_hour(note):
    @recurring(every=timedelta(days=1), name="tests.daily")
    def daily() -> None: ...

    assert (note.timeout, daily.timeout) == (timedelta(minutes=1), timedelta(minutes=30))


def test_arguments_that_are_no_json_are_refused(note):
    with pytest.raises(TypeError):
        enqueue(note, arguments={"when": timezone.now()})

    assert not Job.objects.exists()


def test_a_task_nobody_declares_is_refused_and_one_only_a_newer_release_knows_waits(note, monkeypatch):
    with pytest.raises(LookupError, match=r"no task 'tests\.unknown'"):
        enqueue("tests.unknown")

    enqueue(note)
    monkeypatch.setattr(registry, "_tasks", {})

    assert run_due() == 0
    assert Job.objects.get().attempts == 0


def test_inside_of_requests_a_job_runs_at_commit(note, ran, settings, django_capture_on_commit_callbacks):
    settings.TASK_RUN_METHOD = "SYNCHRONOUSLY"

    with django_capture_on_commit_callbacks(execute=True):
        enqueue(note, arguments={"now": True})
        enqueue(note, arguments={"now": False}, run_at=timezone.now() + timedelta(hours=1))
        assert ran == []

    assert ran == [{"now": True}]

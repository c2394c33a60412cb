"""Tasks that recur, as those see them who watch over the server; and one that is an example."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from operations.tasks import count_users
from tasks.models import Job, RecurringTask, State
from users.models import User
from users.tests.factories import PASSWORD, make_user

JOBS = "/scheduler/jobs/"
KEY = "a key for the service routes"
DUE = datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def installation(settings):
    settings.AUTH_KEY = KEY
    settings.SCHEDULER_API_ENABLED = True


def make_task(name: str, runs: int = 2) -> None:
    RecurringTask.objects.create(name=name, every=timedelta(seconds=10), next_due_at=DUE)
    for number in range(runs):
        Job.objects.create(
            task=name,
            due_at=DUE - timedelta(seconds=10 * (runs - number)),
            state=State.DONE,
            attempts=number + 1,
            most_attempts=4,
        )


def with_key(path: str = JOBS):
    return Client(headers={"X-AUTH-API-KEY": KEY}).get(path)


def test_staff_and_services_see_when_each_is_due_and_how_its_last_run_went(db, client_of):
    make_task("operations.count_users")
    make_task("analytics.fill", runs=0)
    staff = User.objects.create_superuser("root@example.org", PASSWORD)

    answers = [with_key(), client_of(staff).get(JOBS), with_key("/scheduler/jobs")]

    expected = {
        "name": "operations.count_users",
        "every_seconds": 10.0,
        "next_due_at": "2026-01-05T10:00:00Z",
        "is_enabled": True,
        "failures_in_a_row": 0,
        "last_run_at": None,
        "last_run": {
            "state": "done",
            "due_at": "2026-01-05T09:59:50Z",
            "started_at": None,
            "finished_at": None,
            "attempts": 2,
            "last_error": "",
        },
    }
    for answer in answers:
        assert answer.status_code == 200
        first, second = answer.json()
        assert (first["name"], first["last_run"]) == ("analytics.fill", None)
        assert second == expected


def test_nobody_else_sees_them_and_nobody_where_they_are_off(db, settings, member, client_of):
    statuses = [
        Client().get(JOBS).status_code,
        Client(headers={"X-AUTH-API-KEY": "wrong"}).get(JOBS).status_code,
        client_of(member).get(JOBS).status_code,
        with_key("/processor/monitoring/").status_code,
    ]
    settings.SCHEDULER_API_ENABLED = False

    assert statuses == [401, 401, 403, 200]
    assert with_key().status_code == 404


def test_the_list_costs_the_same_however_many_there_are(db, django_assert_max_num_queries):
    make_task("one")
    with django_assert_max_num_queries(2):
        with_key()
    for number in range(9):
        make_task(f"more {number}")

    with django_assert_max_num_queries(2):
        assert len(with_key().json()) == 10


def test_the_example_counts_users_by_the_clock_of_utc(db, caplog):
    make_user()

    with caplog.at_level(logging.INFO, "operations.tasks"):
        count_users()

    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(f"There are 1 users at {timezone.now().astimezone(UTC):%Y-%m-%dT%H:}")
    assert message.endswith("+00:00.")

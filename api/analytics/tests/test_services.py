"""Counts add up in buckets of fifteen minutes, whoever writes them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection, connections

from analytics.models import (
    CountsWriter,
    FeatureEvaluationBucket,
    IdentityEvaluationBucket,
    RequestBucket,
    Resource,
)
from analytics.services import Batch, Statement, add_evaluations, add_requests, forget_old_writers
from environments.models import EnvironmentRevision
from environments.models.revisions import REVISION_CHANNEL

# Quarters of an hour since 1970.
HALF_PAST_TEN = datetime(2026, 8, 1, 10, 30, tzinfo=UTC)
QUARTER = HALF_PAST_TEN.timestamp() // 900


def run(statement: Statement) -> None:
    with connection.cursor() as cursor:
        cursor.execute(*statement)


def evaluations() -> dict[str, int]:
    return dict(FeatureEvaluationBucket.objects.values_list("feature_name", "total_count"))


def heard() -> int:
    """Return how many notifications this connection has received."""
    connection.connection.poll()
    return len(connection.connection.notifies)


def test_requests_of_one_bucket_add_up(db):
    client = "flagsmith-python-sdk/4.0.0\tshop\t1.2"

    run(add_requests([((7, QUARTER, Resource.FLAGS, client), 12), ((7, QUARTER, Resource.FLAGS, "\t\t"), 1)]))
    run(add_requests([((7, QUARTER, Resource.FLAGS, client), 3), ((8, QUARTER, Resource.FLAGS, client), 1)]))

    found = RequestBucket.objects.order_by("id").values_list(
        "environment_id", "user_agent", "application_name", "application_version", "total_count"
    )
    assert sorted(found) == [
        (7, "", "", "", 1),
        (7, "flagsmith-python-sdk/4.0.0", "shop", "1.2", 15),
        (8, "flagsmith-python-sdk/4.0.0", "shop", "1.2", 1),
    ]
    assert {bucket.started_at for bucket in RequestBucket.objects.all()} == {HALF_PAST_TEN}


def test_evaluations_of_one_bucket_add_up(db):
    run(add_evaluations([((7, QUARTER, "colour", None, None), 12), ((7, QUARTER, "shape", None, None), 1)]))
    run(add_evaluations([((7, QUARTER, "colour", None, None), 3)]))

    assert evaluations() == {"colour": 15, "shape": 1}
    assert not IdentityEvaluationBucket.objects.exists()


def test_buckets_of_environments_and_times_are_apart(db):
    run(add_evaluations([((7, QUARTER, "colour", None, None), 1), ((8, QUARTER, "colour", None, None), 2)]))
    run(add_evaluations([((7, QUARTER + 1, "colour", None, None), 4)]))

    found = FeatureEvaluationBucket.objects.order_by("total_count").values_list(
        "environment_id", "started_at", "total_count"
    )
    quarter_to = HALF_PAST_TEN.replace(minute=45)
    assert list(found) == [(7, HALF_PAST_TEN, 1), (8, HALF_PAST_TEN, 2), (7, quarter_to, 4)]


def test_identities_are_counted_and_the_feature_has_the_sum(db):
    run(
        add_evaluations(
            [
                ((7, QUARTER, "colour", "kim", True), 3),
                ((7, QUARTER, "colour", "kim", False), 4),
                ((7, QUARTER, "colour", "", True), 8),
                ((7, QUARTER, "colour", None, None), 16),
            ]
        )
    )

    by_identity = IdentityEvaluationBucket.objects.order_by("total_count").values_list(
        "identity_identifier", "enabled_when_evaluated", "total_count"
    )
    assert list(by_identity) == [("kim", True, 3), ("kim", False, 4), ("", True, 8)]
    assert evaluations() == {"colour": 31}


@pytest.mark.parametrize(
    ("add", "key"),
    [
        (add_requests, (7, QUARTER, Resource.FLAGS, "\t\t")),
        (add_evaluations, (7, QUARTER, "colour", "kim", True)),
    ],
)
def test_a_batch_counts_once_however_often_it_is_sent(db, add, key):
    writer, other = uuid4(), uuid4()
    model = RequestBucket if add is add_requests else FeatureEvaluationBucket

    for batch in [Batch(writer, 1), Batch(writer, 2), Batch(writer, 2), Batch(writer, 1), Batch(other, 1)]:
        run(add([(key, 10)], batch))

    assert model.objects.get().total_count == 30


def test_what_old_writers_leave_is_deleted(db):
    run(add_requests([((7, QUARTER, Resource.FLAGS, "\t\t"), 1)], Batch(uuid4(), 1)))
    CountsWriter.objects.update(written_at=datetime(2026, 1, 1, tzinfo=UTC))
    run(add_requests([((7, QUARTER, Resource.FLAGS, "\t\t"), 1)], Batch(uuid4(), 5)))

    run(forget_old_writers())

    assert CountsWriter.objects.get().batch == 5


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_add_up_and_never_deadlock():
    names = [f"feature_{number}" for number in range(20)]

    def write(number: int) -> None:
        order = names if number % 2 else names[::-1]
        try:
            run(add_evaluations([((7, QUARTER, name, "kim", True), 1) for name in order]))
            run(add_requests([((7, QUARTER, Resource.FLAGS, f"{name}\t\t"), 1) for name in order]))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))

    assert evaluations() == dict.fromkeys(names, 40)
    assert set(RequestBucket.objects.values_list("total_count", flat=True)) == {40}


@pytest.mark.django_db(transaction=True)
def test_counting_publishes_nothing(environment, feature):
    before = EnvironmentRevision.objects.get(environment_id=environment.pk)
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {REVISION_CHANNEL}")

    run(add_requests([((environment.pk, QUARTER, Resource.FLAGS, "\t\t"), 1)], Batch(uuid4(), 1)))
    run(add_evaluations([((environment.pk, QUARTER, "new_checkout", "kim", True), 1)], Batch(uuid4(), 1)))

    after = EnvironmentRevision.objects.get(environment_id=environment.pk)
    assert (after.revision, after.nonce) == (before.revision, before.nonce)
    assert heard() == 0
    feature.feature_states.update(enabled=True)  # the ear works
    assert heard() == 1

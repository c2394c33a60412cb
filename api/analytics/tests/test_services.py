"""Evaluations add up in buckets of fifteen minutes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, connections
from django.db.models import Sum

from analytics import services
from analytics.models import FeatureEvaluationBucket, IdentityEvaluationBucket
from analytics.services import Evaluation, bucket_start
from environments.models import Environment, EnvironmentRevision
from environments.models.revisions import REVISION_CHANNEL
from features.models import Feature
from organisations.models import Organisation
from projects.models import Project


def record_evaluations(environment: Environment, counts: dict[str, int]) -> None:
    services.record_evaluations(
        environment_id=environment.pk, project_id=environment.project_id, counts=counts
    )


def record_identity_evaluations(environment: Environment, evaluations: list[Evaluation]) -> None:
    services.record_identity_evaluations(
        environment_id=environment.pk, project_id=environment.project_id, evaluations=evaluations
    )


def totals() -> dict[str, int]:
    # Summed: a quarter of an hour may end in the middle of a test.
    sums = FeatureEvaluationBucket.objects.order_by().values("feature_name").annotate(Sum("total_count"))
    return {row["feature_name"]: row["total_count__sum"] for row in sums}


def heard() -> int:
    """Return how many notifications this connection has received."""
    connection.connection.poll()
    return len(connection.connection.notifies)


@pytest.mark.parametrize(
    ("instant", "start"),
    [
        (datetime(2026, 8, 1, 10, 30, 0, 0, UTC), datetime(2026, 8, 1, 10, 30, tzinfo=UTC)),
        (datetime(2026, 8, 1, 10, 44, 59, 999_999, UTC), datetime(2026, 8, 1, 10, 30, tzinfo=UTC)),
        (datetime(2026, 8, 1, 10, 45, 0, 0, UTC), datetime(2026, 8, 1, 10, 45, tzinfo=UTC)),
    ],
)
def test_a_bucket_holds_a_quarter_of_an_hour(instant, start):
    assert bucket_start(instant) == start


def test_counts_of_one_bucket_add_up(environment, feature):
    record_evaluations(environment, {"new_checkout": 12})
    record_evaluations(environment, {"new_checkout": 3})

    assert totals() == {"new_checkout": 15}


def test_features_are_found_whatever_the_letter_case(environment, feature):
    record_evaluations(environment, {"New_Checkout": 1, "new_checkout": 2, "NEW_CHECKOUT": 4})

    assert totals() == {"new_checkout": 7}


def test_unknown_deleted_and_foreign_features_are_dropped(environment, feature):
    other = Project.objects.create(organisation=Organisation.objects.create(name="Other"), name="Other")
    Feature.objects.create(project=other, name="foreign")
    Feature.objects.create(project=environment.project, name="deleted").delete()

    record_evaluations(environment, {"foreign": 1, "deleted": 1, "nobody's": 1})

    assert totals() == {}


def test_environments_are_counted_apart(project, environment, feature):
    staging = Environment.objects.create(project=project, name="Staging")

    record_evaluations(environment, {"new_checkout": 1})
    record_evaluations(staging, {"new_checkout": 2})

    found = dict(FeatureEvaluationBucket.objects.values_list("environment_id", "total_count"))
    assert found == {environment.pk: 1, staging.pk: 2}


def test_identities_are_counted_and_the_feature_has_the_sum(environment, feature):
    record_identity_evaluations(
        environment,
        [
            Evaluation("new_checkout", "kim", True, 1),
            Evaluation("new_checkout", "kim", True, 2),
            Evaluation("new_checkout", "kim", False, 4),
            Evaluation("new_checkout", "", True, 8),
        ],
    )

    by_identity = IdentityEvaluationBucket.objects.order_by("total_count").values_list(
        "identity_identifier", "enabled_when_evaluated", "total_count"
    )
    assert list(by_identity) == [("kim", True, 3), ("kim", False, 4), ("", True, 8)]
    assert totals() == {"new_checkout": 15}


def test_one_and_a_hundred_counts_take_one_statement(
    project, environment, feature, django_assert_num_queries
):
    Feature.objects.bulk_create(Feature(project=project, name=f"feature_{number}") for number in range(100))

    with django_assert_num_queries(1):
        record_evaluations(environment, {"new_checkout": 1})
    with django_assert_num_queries(1):
        record_evaluations(environment, {f"feature_{number}": 1 for number in range(100)})

    assert len(totals()) == 101


def test_nothing_to_count_asks_the_database_nothing(environment, django_assert_num_queries):
    with django_assert_num_queries(0):
        record_evaluations(environment, {})


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_lose_nothing_and_never_deadlock(project, environment):
    names = [f"feature_{number}" for number in range(20)]
    for name in names:
        Feature.objects.create(project=project, name=name)

    def write(number: int) -> None:
        order = names if number % 2 else names[::-1]
        try:
            record_evaluations(environment, dict.fromkeys(order, 1))
            record_identity_evaluations(environment, [Evaluation(name, "kim", True, 1) for name in order])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))

    assert totals() == dict.fromkeys(names, 80)


@pytest.mark.django_db(transaction=True)
def test_counting_publishes_nothing(environment, feature):
    before = EnvironmentRevision.objects.get(environment_id=environment.pk)
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {REVISION_CHANNEL}")

    record_evaluations(environment, {"new_checkout": 1})
    record_identity_evaluations(environment, [Evaluation("new_checkout", "kim", True, 1)])

    after = EnvironmentRevision.objects.get(environment_id=environment.pk)
    assert (after.revision, after.nonce) == (before.revision, before.nonce)
    assert heard() == 0
    feature.feature_states.update(enabled=True)  # the ear works
    assert heard() == 1

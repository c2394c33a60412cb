"""Counts lie in a part of their table for each week, and old ones go with their part."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction

from analytics.models import FeatureEvaluationBucket, IdentityEvaluationBucket, RequestBucket, Resource
from analytics.partitions import WEEK, WEEKS_AHEAD, drop_old_parts, make_parts, parts_of
from analytics.services import add_evaluations, add_requests
from analytics.tasks import delete_old_counts

# A Wednesday, some time ahead: the parts that are there end before.
NOW = datetime(2040, 3, 14, 10, 30, tzinfo=UTC)
MONDAY = datetime(2040, 3, 12, tzinfo=UTC)


def counted(*moments: datetime) -> None:
    keys = [(7, moment.timestamp() // 900) for moment in moments]
    with connection.cursor() as cursor:
        cursor.execute(*add_requests([((*key, Resource.FLAGS, "\t\t"), 1) for key in keys]))
        cursor.execute(*add_evaluations([((*key, "colour", "kim", True), 1) for key in keys]))


def rows_of(part: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {part}")
        return cursor.fetchone()[0]


def kept() -> list[datetime]:
    return list(RequestBucket.objects.order_by("started_at").values_list("started_at", flat=True))


def test_there_is_a_part_for_each_week_and_some_ahead_and_each_is_made_once(db):
    first, rest = parts_of(RequestBucket)
    assert first.ends_at

    make_parts(RequestBucket, now=first.ends_at - timedelta(seconds=1))
    made = parts_of(RequestBucket)
    make_parts(RequestBucket, now=first.ends_at - timedelta(seconds=1))

    assert (first.has_beginning, rest) == (False, ("analytics_requestbucket_rest", False, None))
    assert [part.ends_at for part in made[:-1]] == [
        first.ends_at + weeks * WEEK for weeks in range(WEEKS_AHEAD + 1)
    ]
    assert first.ends_at.weekday() == 0
    assert parts_of(RequestBucket) == made


def test_counts_add_up_in_each_week_and_in_what_is_of_none(db):
    make_parts(RequestBucket, now=NOW)
    make_parts(FeatureEvaluationBucket, now=NOW)
    make_parts(IdentityEvaluationBucket, now=NOW)

    for _ in range(2):
        counted(MONDAY - timedelta(minutes=15), MONDAY, NOW, NOW + 10 * WEEK)

    for table in ("requestbucket", "featureevaluationbucket", "identityevaluationbucket"):
        assert rows_of(f"analytics_{table}_20400312") == 2
        assert rows_of(f"analytics_{table}_rest") == 2
    assert set(RequestBucket.objects.values_list("total_count", flat=True)) == {2}
    assert set(IdentityEvaluationBucket.objects.values_list("total_count", flat=True)) == {2}


def test_what_was_counted_before_its_week_had_a_part_moves_there(db):
    counted(NOW, NOW + timedelta(hours=1), NOW + 10 * WEEK)

    make_parts(FeatureEvaluationBucket, now=NOW)

    assert rows_of("analytics_featureevaluationbucket_20400312") == 2
    assert rows_of("analytics_featureevaluationbucket_rest") == 1


def test_a_week_is_dropped_when_all_of_it_is_old(db):
    for weeks in range(5):
        make_parts(RequestBucket, now=NOW + weeks * WEEK)
    moments = [MONDAY + weeks * WEEK for weeks in range(5)]
    long_ago, far_ahead = datetime(2020, 1, 1, tzinfo=UTC), NOW + 100 * WEEK
    counted(long_ago, *moments, far_ahead)

    drop_old_parts(RequestBucket, timedelta(days=14), now=MONDAY + 4 * WEEK - timedelta(seconds=1))

    assert kept() == [*moments[1:], far_ahead]
    drop_old_parts(RequestBucket, timedelta(days=14), now=MONDAY + 4 * WEEK)
    assert kept() == [*moments[2:], far_ahead]
    drop_old_parts(RequestBucket, timedelta(days=14), now=far_ahead + 4 * WEEK)
    assert kept() == []
    assert [part.name for part in parts_of(RequestBucket)] == ["analytics_requestbucket_rest"]


def test_rows_of_no_week_go_some_at_a_time(db, monkeypatch):
    monkeypatch.setattr("analytics.partitions._DELETED_AT_ONCE", 2)
    old = [NOW + timedelta(hours=hours) for hours in range(5)]
    counted(*old, NOW + 10 * WEEK)

    drop_old_parts(RequestBucket, timedelta(days=1), now=NOW + 2 * WEEK)

    assert kept() == [NOW + 10 * WEEK]


def test_evaluations_for_identities_go_earlier_than_their_sums(db, settings):
    settings.RAW_ANALYTICS_DATA_RETENTION_DAYS = 30
    settings.BUCKETED_ANALYTICS_DATA_RETENTION_DAYS = 90
    for days in (0, 60, 100):
        counted(datetime.now(UTC) - timedelta(days=days))

    delete_old_counts()

    assert [
        model.objects.count() for model in (IdentityEvaluationBucket, FeatureEvaluationBucket, RequestBucket)
    ] == [1, 2, 2]


@pytest.mark.django_db(transaction=True)
def test_who_drops_a_part_doesnt_wait_long_for_who_reads(monkeypatch):
    monkeypatch.setattr("analytics.partitions._LOCK_TIMEOUT", "50ms")
    end = parts_of(RequestBucket)[0].ends_at
    assert end
    reading = connections.create_connection("default")
    try:
        reading.set_autocommit(False)
        with reading.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM analytics_requestbucket")
        with pytest.raises(OperationalError, match="lock timeout"):
            drop_old_parts(RequestBucket, timedelta(), now=end + timedelta(days=1))
    finally:
        reading.close()

    with transaction.atomic():
        drop_old_parts(RequestBucket, timedelta(), now=end + timedelta(days=1))
        transaction.set_rollback(True)

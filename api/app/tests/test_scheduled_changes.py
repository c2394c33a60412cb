"""Scheduled changes, carried out by workers in processes of their own, of which some are killed."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from audit.models import AuditRecord, RowChange
from core.tests.thoroughness import EVERYTHING
from environments.models import Environment
from environments.revisions import current_revision_of
from features.models import Feature
from features.tests.factories import make_feature
from tasks.models import Job
from tasks.tests.workers import processes, wait_until
from users.models import User
from workflows.models import RequestedChange
from workflows.services.carrying_out import database_now
from workflows.services.change_requests import commit
from workflows.tests.factories import make_request

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]

applied = RequestedChange.objects.filter(applied_at__isnull=False)


def schedule(features: list[Feature], environment: Environment, author: User) -> None:
    """Have all of them switched on, long from now."""
    for feature in features:
        commit(make_request(environment, feature, author=author), author=author)


def move_schedules() -> datetime:
    """Have all schedules fall due in a second, and return when that is by the database's clock."""
    live_from = database_now() + timedelta(seconds=1)
    RequestedChange.objects.update(live_from=live_from)
    Job.objects.filter(task__startswith="workflows.").update(run_at=live_from)
    return live_from


def assert_each_was_made_once(features: list[Feature]) -> None:
    switched = RowChange.objects.filter(table_name="features_featurestate", after__enabled=True)
    went_live = AuditRecord.objects.filter(log__startswith="Scheduled change to")
    for ids in (switched.values_list("object_id"), went_live.values_list("related_object_id")):
        assert sorted(Counter(ids).values()) == [1] * len(features)


def test_four_runners_make_each_change_once_in_time_and_sdks_see_it(project, environment, admin, sdk_client):
    features = [make_feature(project) for _ in range(4)]
    with processes(1):
        schedule(features, environment, admin)  # and who was there then is killed
    early = [flag["enabled"] for flag in sdk_client.get("/api/v1/flags/").json()]
    revision = current_revision_of(environment.pk)

    live_from = move_schedules()
    with processes(4, threads=2):
        wait_until(lambda: applied.count() == len(features))

    assert not any(early)
    moments = applied.values_list("applied_at", flat=True)
    assert live_from <= min(moments) <= max(moments) < live_from + timedelta(seconds=5)
    assert_each_was_made_once(features)
    assert current_revision_of(environment.pk) >= revision + len(features)
    assert all(flag["enabled"] for flag in sdk_client.get("/api/v1/flags/").json())


def test_each_change_is_made_once_though_runners_are_killed_while_they_make_them(project, environment, admin):
    features = [make_feature(project) for _ in range(50 if EVERYTHING else 6)]
    schedule(features, environment, admin)

    move_schedules()
    with processes(4, threads=2) as (first, second, *_):
        wait_until(applied.exists)
        first.kill()
        wait_until(lambda: applied.count() > len(features) // 2, seconds=60)
        second.kill()
        wait_until(lambda: applied.count() == len(features), seconds=60)

    assert_each_was_made_once(features)

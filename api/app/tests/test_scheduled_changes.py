"""Scheduled changes, carried out by workers in processes of their own, of which some are killed."""

from collections import Counter
from datetime import timedelta

import pytest

from audit.models import AuditRecord, RowChange
from core.tests.thoroughness import EVERYTHING
from environments.revisions import current_revision_of
from features.tests.factories import make_feature
from tasks.models import Job
from tasks.tests.workers import processes, wait_until
from workflows.models import RequestedChange
from workflows.services.carrying_out import database_now
from workflows.services.change_requests import commit
from workflows.tests.factories import make_request


@pytest.mark.django_db(transaction=True)
def test_of_four_runners_one_makes_each_change_in_time_though_others_are_killed(
    project, environment, admin, sdk_client
):
    features = [make_feature(project) for _ in range(50 if EVERYTHING else 6)]
    for feature in features:
        commit(make_request(environment, feature, author=admin), author=admin)
    live_from = database_now() + timedelta(seconds=1)
    RequestedChange.objects.update(live_from=live_from)
    Job.objects.filter(task__startswith="workflows.").update(run_at=live_from)
    early = [flag["enabled"] for flag in sdk_client.get("/api/v1/flags/").json()]
    revision = current_revision_of(environment.pk)
    applied = RequestedChange.objects.filter(applied_at__isnull=False)

    with processes(1):
        """It is killed before anything is due."""
    with processes(4, threads=2) as (first, second, *_):
        wait_until(applied.exists)
        first.kill()
        wait_until(lambda: applied.count() > len(features) // 2)
        second.kill()
        wait_until(lambda: applied.count() == len(features))

    assert not any(early)
    moments = applied.values_list("applied_at", flat=True)
    assert live_from <= min(moments) <= max(moments) < live_from + timedelta(seconds=5)
    switched = RowChange.objects.filter(table_name="features_featurestate", after__enabled=True)
    went_live = AuditRecord.objects.filter(log__startswith="Scheduled change to")
    for ids in (switched.values_list("object_id"), went_live.values_list("related_object_id")):
        assert sorted(Counter(ids).values()) == [1] * len(features)
    assert current_revision_of(environment.pk) >= revision + len(features)
    assert all(flag["enabled"] for flag in sdk_client.get("/api/v1/flags/").json())

"""Workers that are killed: all messages arrive, in order, twins have one id; schedules take effect once."""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from threading import Event as Signal
from typing import Any

import pytest
from django.utils import timezone

from core.tests.receivers import Receiver, receiver
from core.tests.thoroughness import EVERYTHING
from environments.models import Environment
from features.models import Feature, FeatureState
from features.services.change_sets import Change, apply_change_set, apply_to_version
from features.services.versioning import enable_versioning
from features.services.versions import create_draft, publish_version
from features.tests.factories import make_feature
from tasks import worker
from tasks.tests.workers import processes, wait_until
from webhooks.models import Delivery, Event
from workflows.services.change_requests import commit, propose_change_set

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = pytest.mark.no_cover

KILLS, CHANGES_BETWEEN, SCHEDULED = (50, 10, 50) if EVERYTHING else (4, 10, 4)
FLAGS = 5


def a_scheduled_version(feature: Feature, environment: Environment, value: str, live_from: datetime) -> None:
    draft = create_draft(environment, feature, author=None)
    apply_to_version(draft, [Change(feature.pk, environment.pk, value=value)], author=None)
    publish_version(draft, author=None, live_from=live_from)


def a_change_request(feature: Feature, environment: Environment, value: str, live_from: datetime) -> None:
    change = Change(feature.pk, environment.pk, value=value)
    request = propose_change_set(environment, [change], author=None, live_from=live_from, title="Later")
    commit(request, author=None)


# Each has a feature serve a value from a time on.
WAYS_TO_SCHEDULE: list[Callable[[Feature, Environment, str, datetime], None]] = [
    a_scheduled_version,
    a_change_request,
]


@pytest.mark.timeout(1200 if EVERYTHING else 300)
@pytest.mark.django_db(transaction=True)
def test_what_is_sent_and_scheduled_survives_workers_that_are_killed(
    settings, monkeypatch, environment, project
):
    staging = Environment.objects.create(project=project, name="Staging")
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(worker, "_TIDY_SECONDS", 0.05)
    chance = Random(6)
    flags = [make_feature(project) for _ in range(FLAGS)]
    scheduled = [make_feature(project) for _ in range(SCHEDULED)]
    enable_versioning(staging, author=None)
    with receiver() as received:
        for each in (environment, staging):
            each.webhooks.create(url=received.url())
        for number, feature in enumerate(scheduled):
            live_from = timezone.now() + timedelta(seconds=chance.uniform(0.5, KILLS))
            schedule = WAYS_TO_SCHEDULE[number % len(WAYS_TO_SCHEDULE)]
            schedule(feature, staging, "scheduled", live_from)

        for number in range(KILLS):
            for flag in range(CHANGES_BETWEEN):
                value = number * CHANGES_BETWEEN + flag
                change = Change(flags[flag % FLAGS].pk, environment.pk, value=value)
                apply_change_set([change], author=None)
            before = len(received.requests)
            with processes(1):
                some = chance.randint(1, CHANGES_BETWEEN)
                wait_until(lambda: len(received.requests) >= before + some)  # noqa: B023
                Signal().wait(chance.uniform(0, 0.02))
        with processes(1):
            wait_until(lambda: _all_served(scheduled, staging) and not Delivery.objects.pending().exists())

    values, ids = _by_flag(received)
    assert {flag.pk: values[flag.pk] for flag in flags} == {
        flag.pk: list(range(number, KILLS * CHANGES_BETWEEN, FLAGS)) for number, flag in enumerate(flags)
    }
    assert all(len(found) == 1 for found in ids.values())
    assert {feature.pk: values[feature.pk] for feature in scheduled} == {
        feature.pk: ["scheduled"] for feature in scheduled
    }
    # Who serves it a second time tells of the version again.
    versions = Event.objects.filter(event_type="NEW_VERSION_PUBLISHED", environment=staging)
    assert versions.count() == SCHEDULED


def _all_served(features: list[Feature], environment: Environment) -> bool:
    served = FeatureState.objects.filter(feature__in=features, environment=environment)
    return all(each.value == "scheduled" for each in served)


def _by_flag(received: Receiver) -> tuple[dict[int, list[Any]], dict[Any, set[bytes]]]:
    """Return the values of each flag as they came, without repetitions, and the ids that each came with."""
    values: dict[int, list[Any]] = defaultdict(list)
    ids: dict[Any, set[bytes]] = defaultdict(set)
    for request in received.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        message = json.loads(body)
        if message["event_type"] != "FLAG_UPDATED":
            continue
        state = message["data"]["new_state"]
        flag, value = state["feature"]["id"], state["feature_state_value"]
        if values[flag][-1:] != [value]:
            values[flag].append(value)
        ids[flag, value].add(next(line for line in head.split(b"\r\n") if line.startswith(b"webhook-id: ")))
    return dict(values), ids

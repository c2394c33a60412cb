"""Workers that are killed while they send: every message arrives, in order, and twins have one id."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from multiprocessing.context import ForkProcess
from random import Random
from threading import Event as Signal
from typing import Any

import pytest
from django.db import connections

from core.tests.asgi.servers import wait_until
from core.tests.receivers import receiver
from features.services.change_sets import Change, apply_change_set
from features.tests.factories import make_feature
from tasks import worker
from tasks.worker import Worker
from webhooks.models import Delivery

KILLS = 10
FLAGS, CHANGES = 5, 8


@contextmanager
def workers(number: int) -> Iterator[None]:
    """Run so many workers until the block ends, and then kill them."""

    def work() -> None:
        for each in connections.all():
            each.connection = None  # the parent's
        Worker(threads=3, poll_seconds=0.02, lease=timedelta(seconds=0.4)).run()

    processes = [ForkProcess(target=work) for _ in range(number)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


@pytest.mark.django_db(transaction=True)
def test_every_message_arrives_in_order_though_workers_are_killed(
    settings, monkeypatch, environment, project, organisation
):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(worker, "_TIDY_SECONDS", 0.05)
    chance = Random(6)
    features = [make_feature(project) for _ in range(FLAGS)]
    with receiver() as received, receiver() as other:
        environment.webhooks.create(url=received.url())
        organisation.webhooks.create(url=other.url())
        for number, feature in product(range(CHANGES), features):
            apply_change_set([Change(feature.pk, environment.pk, value=number)], author=None)

        for _ in range(KILLS):
            with workers(2):
                Signal().wait(chance.uniform(0.05, 0.3))
        with workers(2):
            wait_until(lambda: not Delivery.objects.pending().exists())

    for each in (received, other):
        values, ids = _by_flag(each.requests)
        assert values == {feature.pk: list(range(CHANGES)) for feature in features}
        assert all(len(found) == 1 for found in ids.values())


def _by_flag(requests: list[bytes]) -> tuple[dict[int, list[int]], dict[Any, set[bytes]]]:
    """Return the values of each flag as they came, without repetitions, and the ids that each came with."""
    values: dict[int, list[int]] = defaultdict(list)
    ids: dict[Any, set[bytes]] = defaultdict(set)
    for request in requests:
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

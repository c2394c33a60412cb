"""The lane, the feed and management through a pooler that gives each transaction another connection."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections

from app.tests.pooler import CONNECTIONS, Pooler, pooler
from core.tests.thoroughness import EVERYTHING
from features.models import FeatureState
from identities.models import Identity
from projects.models import Project
from sdk.identities import TraitPolicy
from sdk.inputs import GivenIdentity, GivenTrait
from sdk.live_identities import LiveIdentities
from sdk.tests.workers import Worker, eventually

pytestmark = pytest.mark.django_db(transaction=True)

POLICY = TraitPolicy(accepts_traits=True, stores_traits=True)


@pytest.fixture(scope="module")
def one_pooler(django_db_setup, tmp_path_factory) -> Iterator[Pooler]:
    with pooler(tmp_path_factory.mktemp("pooler")) as running:
        yield running


@pytest.fixture
def unpooled(django_db_setup) -> dict[str, Any]:
    """Where the database is without the pooler."""
    return dict(connections.databases["default"])


@pytest.fixture
def pooled(one_pooler, unpooled, environment, feature, admin) -> Iterator[Pooler]:
    """The main database is reached by way of the pooler."""
    settings = connections.databases["default"]
    connection.close()
    settings.update(one_pooler.settings, DISABLE_SERVER_SIDE_CURSORS=True)
    yield one_pooler
    connection.close()
    settings.clear()
    settings.update(unpooled)


@pytest.fixture
def worker(pooled, tmp_path) -> Iterator[Worker]:
    worker = Worker(tmp_path)
    yield worker
    worker.stop()


@pytest.fixture
def put(environment, feature, admin_client):
    state = FeatureState.objects.get(environment=environment, feature=feature)

    def put(value: str) -> None:
        """Have management serve a value."""
        path = f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/"
        response = admin_client.put(path, {"enabled": True, "feature_state_value": value}, "json")
        assert response.status_code == 200, response.content
        assert admin_client.get(path).json()["feature_state_value"] == value

    return put


def identified(worker: Worker, environment_id: int, identifiers: list[str]) -> list[dict[str, Any]]:
    """Store identities with a trait, in batches, and return all their traits."""
    live = LiveIdentities()

    async def know() -> Any:
        async with live.running():
            given = [GivenIdentity(each, traits={"plan": GivenTrait("pro")}) for each in identifiers]
            return await asyncio.gather(*(live.know(environment_id, [each], POLICY) for each in given))

    found = worker.run(know())
    assert all(each.is_persisted for each in found)
    return [{key: trait.value for key, trait in each.known[0].traits.items()} for each in found]


def test_flags_identities_and_management_work_and_leave_nothing_to_whoever_comes_next(
    pooled, worker, put, environment, feature, caplog
):
    def serves(value: str) -> bool:
        return worker.value(environment.api_key, feature.name) == value

    eventually(lambda: worker.live.state()["feed_is_deaf"] == 1)
    assert worker.live.state()["feed_is_listening"] == 0
    assert "DIRECT_DATABASE_URL may name a way around it" in caplog.text

    for value in ("green", "red"):
        put(value)
        assert worker.value(environment.api_key, feature.name) in {"blue", "green", value}
        took = eventually(partial(serves, value))
        assert took < 3  # found by asking once a second
    people = [f"person {number}" for number in range(30)]
    assert identified(worker, environment.pk, people) == [{"plan": "pro"}] * 30
    assert Identity.objects.filter(identifier__in=people, traits={"plan": "pro"}).count() == 30
    assert [each.name for each in Project.objects.iterator(chunk_size=1)] == ["Web shop"]

    for name, expected in {
        "default_transaction_read_only": {"off"},
        "default_transaction_isolation": {"read committed"},
        "burgee.cause": {"", None},
        "lock_timeout": {"0"},
        "statement_timeout": {"0"},
    }.items():
        assert pooled.shown_everywhere(name) <= expected, name


def test_with_a_way_around_the_pooler_changes_are_heard_of_at_once(
    unpooled, pooled, put, environment, feature, tmp_path, monkeypatch
):
    monkeypatch.setitem(connections.databases, "direct", unpooled)
    worker = Worker(tmp_path)
    try:
        eventually(lambda: worker.live.state()["feed_is_listening"] == 1)
        assert worker.live.state()["feed_is_deaf"] == 0
        assert worker.value(environment.api_key, feature.name) == "blue"
        put("green")
        took = eventually(lambda: worker.value(environment.api_key, feature.name) == "green")
        assert took < 0.7
    finally:
        worker.stop()


def test_a_pooler_of_sessions_lets_changes_be_heard_of(environment, feature, unpooled, tmp_path):
    settings = connections.databases["default"]
    with pooler(tmp_path, mode="session") as sessions:
        settings.update(sessions.settings)
        try:
            worker = Worker(tmp_path / "host")
            try:
                eventually(lambda: worker.live.state()["feed_is_listening"] == 1)
                assert worker.live.state()["feed_is_deaf"] == 0
            finally:
                worker.stop()
        finally:
            settings.update({name: unpooled[name] for name in sessions.settings})


def test_many_at_once_share_few_connections(pooled, worker, environment, feature):
    """More than the pooler has connections, in transactions, snapshots and batches that mix."""
    rounds, threads = (200, 16) if EVERYTHING else (10, 6)
    state = FeatureState.objects.get(environment=environment, feature=feature)
    failures: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            worker.store.refresh(environment.pk)
            time.sleep(0)
        connections.close_all()

    def write(thread: int) -> None:
        for number in range(rounds):
            FeatureState.objects.filter(pk=state.pk).update(
                type="unicode", string_value=f"{thread} {number}", integer_value=None
            )
        connections.close_all()

    with ThreadPoolExecutor(threads + 2) as pool:
        reading = [pool.submit(read) for _ in range(2)]
        writing = [pool.submit(write, each) for each in range(threads)]
        failures += [error for each in writing if (error := each.exception())]
        stop.set()
        failures += [error for each in reading if (error := each.exception())]
    assert failures == []
    state.refresh_from_db()
    eventually(lambda: worker.value(environment.api_key, feature.name) == state.string_value)
    assert threads > CONNECTIONS


@pytest.mark.skipif(not EVERYTHING, reason="loads all migrations; WALKS=full does")
def test_migrations_are_looked_at_through_it(pooled):
    call_command("migrate", verbosity=0)

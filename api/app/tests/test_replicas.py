"""Replicas give what SDKs are served, where they have it: tried with a real standby."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from app.tests.standby import Standby
from core.routing import Replicas
from documents.rows import current_revision
from environments.models import EnvironmentRevision
from features.models import FeatureState
from operations.doctor.of_databases import of_databases
from sdk.sources import Source
from sdk.tests.workers import Worker, database_away, eventually

pytestmark = pytest.mark.django_db(transaction=True)

# Nobody listens there, and whoever asks is told so.
NOBODY = {"HOST": "127.0.0.1", "PORT": 9}


@pytest.fixture(scope="module")
def one_standby(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Standby]:
    with django_db_blocker.unblock():
        made = Standby(tmp_path_factory.mktemp("standby"))
    yield made
    made.stop()


@pytest.fixture
def standby(one_standby, environment, feature, monkeypatch) -> Iterator[Standby]:
    """The standby as `replica_1`, with everything that there is."""

    def connect(self: BaseDatabaseWrapper) -> None:
        if self.connection is None:
            with self.wrap_database_errors:
                self.connect()

    # Tests may use no other database than those that are made before them.
    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", connect)
    connections.databases["replica_1"] = one_standby.settings
    try:
        one_standby.catch_up()
        yield one_standby
    finally:
        for alias in [each for each in connections.databases if "replica_" in each]:
            connections[alias].close()
            del connections[alias], connections.databases[alias]


def change(environment, value: str) -> None:
    FeatureState.objects.filter(environment=environment).update(type="unicode", string_value=value)


def served(source: Source, environment) -> object:
    content = source.newer_than(None, environment.pk)
    assert content
    assert content.revision == current_revision(environment.pk)
    return content.document["feature_states"][0]["feature_state_value"]


def test_a_replica_gives_the_rows_if_it_has_the_revision_and_else_the_primary_does(standby, environment):
    source = Source()
    change(environment, "one")
    standby.catch_up()
    assert served(source, environment) == "one"
    assert (source.counts.from_replicas, source.counts.replicas_behind) == (1, 0)

    standby.fall_behind()
    change(environment, "two")
    assert served(source, environment) == "two"
    assert (source.counts.from_replicas, source.counts.replicas_behind) == (1, 1)

    standby.go_on()
    standby.catch_up()
    assert served(source, environment) == "two"
    assert (source.counts.from_replicas, source.counts.replicas_behind) == (2, 1)


def test_a_change_is_served_at_once_though_the_replica_is_five_seconds_late(
    standby, environment, feature, admin_client, tmp_path
):
    state = FeatureState.objects.get(environment=environment, feature=feature)
    path = f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/"
    worker = Worker(tmp_path)

    def serves(value: str) -> bool:
        return worker.value(environment.api_key, feature.name) == value

    try:
        assert serves("blue")
        standby.be_late_by(5)
        began = time.monotonic()
        for value in ("green", "red"):
            admin_client.put(path, {"enabled": True, "feature_state_value": value}, "json")
            # Whoever wrote reads it, from the primary.
            assert admin_client.get(path).json()["feature_state_value"] == value
            eventually(partial(serves, value))
        assert time.monotonic() - began < 4
        assert worker.live.state()["snapshots_replicas_behind"] >= 2
        assert standby.run("SELECT max(revision) FROM environments_environmentrevision") < (
            EnvironmentRevision.objects.get(environment_id=environment.pk).revision
        )
    finally:
        worker.stop()
        standby.be_late_by(0)


def test_a_replica_with_the_number_of_another_history_is_passed_over(standby, environment):
    standby.fall_behind()
    # As after a failover that lost a change: the number is given again, with other content.
    with connections["default"].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        change(environment, "another")
        EnvironmentRevision.objects.update(nonce="8f9b4d5e-0d3c-4a0e-9f57-5d6b9c1f0b11")
        cursor.execute("SET session_replication_role = origin")
    source = Source()

    assert served(source, environment) == "another"
    assert source.counts.from_replicas == 0
    standby.go_on()


def test_replicas_that_are_away_are_left_alone_for_a_while_and_those_of_other_regions_asked(
    standby, environment, caplog
):
    connections.databases["replica_1"] = {**standby.settings, **NOBODY}
    source = Source()
    for value in ("three", "four"):
        change(environment, value)
        assert served(source, environment) == value
    assert (source.counts.from_replicas, source.replicas.away()) == (0, 1)
    assert caplog.text.count("The database replica_1 is left alone for 5 seconds") == 1

    connections.databases["cross_region_replica_1"] = standby.settings
    standby.catch_up()
    source = Source()
    assert served(source, environment) == "four"
    assert source.counts.from_replicas == 1


def test_of_several_silent_replicas_one_is_waited_for_and_none_is_tried_again_by_who_waits(
    standby, environment, monkeypatch
):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = {"HOST": "127.0.0.1", "PORT": silent.getsockname()[1], "OPTIONS": {"connect_timeout": 2}}
        for alias in ("replica_1", "replica_2", "replica_3"):
            connections.databases[alias] = {**standby.settings, **address}
        source = Source()
        began = time.monotonic()
        assert source.newer_than(None, environment.pk)
        assert time.monotonic() - began < 3.5
        assert source.replicas.away() == 1

        for alias in ("replica_1", "replica_2", "replica_3"):
            connections[alias].close()
            source.replicas.failed(alias, OSError("silent"))
        monkeypatch.setattr("core.routing.time", SimpleNamespace(monotonic=lambda: time.monotonic() + 3600))
        began = time.monotonic()
        assert source.newer_than(None, environment.pk)
        assert time.monotonic() - began < 1

    # Those that try them end with the silence, and may not say so after one has answered.
    eventually(lambda: not [each for each in threading.enumerate() if each.name.startswith("trying ")])
    del connections["replica_1"]
    connections.databases["replica_1"] = standby.settings
    monkeypatch.setattr("core.routing.time", SimpleNamespace(monotonic=lambda: time.monotonic() + 7200))
    assert source.newer_than(None, environment.pk)
    eventually(lambda: source.replicas.away() == 2)
    standby.catch_up()
    assert source.newer_than(None, environment.pk)
    assert source.counts.from_replicas == 1


def test_a_standby_is_never_taken_for_the_primary(standby):
    """As where the primary's address leads to it before it is promoted."""
    misled = connections["default"].copy()
    misled.settings_dict.update(HOST=standby.address["host"], PORT=standby.address["port"])

    with pytest.raises(OperationalError, match="session is read-only"), misled.wrap_database_errors:
        misled.connect()


def test_a_worker_that_starts_while_the_primary_is_away_serves_what_a_replica_has(
    standby, environment, feature, tmp_path
):
    server_key = environment.server_side_keys.create(name="server")
    standby.catch_up()

    with database_away():
        worker = Worker(tmp_path)
        try:
            for key in (environment.api_key, server_key.key):
                assert worker.value(key, feature.name) == "blue"
        finally:
            worker.stop()


@pytest.mark.parametrize("strategy", ["DISTRIBUTED", "SEQUENTIAL"])
def test_replicas_are_asked_by_the_strategy_and_far_ones_after_all_near_ones(settings, monkeypatch, strategy):
    settings.REPLICA_READ_STRATEGY = strategy
    names = ["replica_1", "replica_2", "replica_3", "cross_region_replica_1"]
    for name in names:
        monkeypatch.setitem(connections.databases, name, {})
    replicas = Replicas()

    firsts = [next(replicas.to_ask()) for _ in range(60)]
    asked = []
    for alias in replicas.to_ask():
        asked.append(alias)
        replicas.failed(alias, OSError("no answer"))

    if strategy == "SEQUENTIAL":
        assert firsts == names[:3] * 20
        assert asked == names
    else:
        assert set(firsts) == set(names[:3])
        assert asked[3:] == names[3:]
        assert sorted(asked[:3]) == names[:3]
    assert list(replicas.to_ask()) == [], "they are all left alone"
    replicas.answered("replica_2")
    assert list(replicas.to_ask()) == ["replica_2"], "others aren't asked after one that answers"


def test_the_doctor_says_how_far_behind_a_replica_is(standby, environment):
    def told() -> dict[str, tuple[str, str]]:
        found = [each for each in of_databases() if each.subject == "replica_1"]
        return {each.subject: (each.severity.name, each.words) for each in found}

    standby.catch_up()
    assert told() == {"replica_1": ("OK", "a standby, not behind")}

    standby.fall_behind()
    change(environment, "two")
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_switch_wal()")  # or what was written waits in memory
    _, words = told()["replica_1"]
    standby.go_on()

    assert re.match(r"\d+ bytes behind, \d+\.\d seconds after", words)


def test_what_only_a_replica_has_shows_in_flags_and_not_in_management(
    standby, environment, feature, sdk_client, admin_client
):
    """Last, for the standby becomes a server of its own."""
    standby.promote()
    standby.run("ALTER SYSTEM SET session_replication_role = replica")
    standby.run("SELECT pg_reload_conf()")
    eventually(lambda: standby.run("SHOW session_replication_role") == "replica")
    standby.run("UPDATE features_featurestate SET type = 'unicode', string_value = 'marked'")

    flags = sdk_client.get("/api/v1/flags/").json()
    states = admin_client.get(f"/api/v1/environments/{environment.api_key}/featurestates/").json()

    assert flags[0]["feature_state_value"] == "marked"
    assert states["results"][0]["feature_state_value"] == "blue"
    standby.stop()
    assert sdk_client.get("/api/v1/flags/").status_code == 200

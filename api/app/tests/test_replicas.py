"""Replicas give what SDKs are served, where they have it: tried with a real standby."""

from collections.abc import Iterator

import pytest
from django.db import connections

from app.tests.standby import Standby
from documents.rows import current_revision
from environments.models import EnvironmentRevision
from features.models import FeatureState
from sdk.sources import Source

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def standby(environment, feature, tmp_path, monkeypatch) -> Iterator[Standby]:
    made = Standby(tmp_path)
    connections.databases["replica_1"] = made.settings
    replica = connections["replica_1"]

    def connect() -> None:
        if replica.connection is None:
            with replica.wrap_database_errors:
                replica.connect()

    # Tests may use no other database than those that are made before them.
    monkeypatch.setattr(replica, "ensure_connection", connect)
    yield made
    made.stop()
    del connections["replica_1"]
    del connections.databases["replica_1"]


def change(environment, value: str) -> None:
    FeatureState.objects.filter(environment=environment).update(type="unicode", string_value=value)


def served(source: Source, environment) -> object:
    content = source.newer_than(None, environment.pk)
    assert content
    assert content.revision == current_revision(environment.pk)
    return content.document["feature_states"][0]["feature_state_value"]


def test_a_replica_that_has_the_revision_gives_the_rows(standby, environment):
    change(environment, "one")
    standby.catch_up()
    source = Source()

    assert served(source, environment) == "one"
    assert source.counts.from_replicas == 1


def test_a_replica_that_is_behind_is_passed_over_until_it_has_caught_up(standby, environment):
    standby.fall_behind()
    change(environment, "two")
    source = Source()

    assert served(source, environment) == "two"
    assert source.counts.from_replicas == 0

    standby.run("SELECT pg_wal_replay_resume()::text")
    standby.catch_up()
    assert served(source, environment) == "two"
    assert source.counts.from_replicas == 1


def test_a_replica_with_the_number_of_another_history_is_passed_over(standby, environment):
    standby.catch_up()
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


def test_a_replica_that_is_away_is_left_alone_for_a_while(standby, environment, caplog):
    standby.stop()
    source = Source()

    for value in ("three", "four"):
        change(environment, value)
        assert served(source, environment) == value

    assert source.counts.from_replicas == 0
    assert caplog.text.count("The database replica_1 is left alone for a while") == 1

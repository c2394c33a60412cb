"""Snapshots: never older than the request, compiled once for each revision, bounded."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from documents.tests.factories import make_feature
from environments.models import Environment, EnvironmentRevision
from features.models import FeatureState
from sdk import authentication, snapshots
from sdk import store as module
from sdk.lookup import find
from sdk.store import SnapshotStore

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store() -> SnapshotStore:
    return SnapshotStore()


@pytest.fixture
def compiled(monkeypatch) -> list[int]:
    """The environments that are compiled during the test, as often as they are."""
    environments = []
    compile_snapshot = snapshots.compile_snapshot

    def counting(content):
        environments.append(content.revision.name.environment_id)
        return compile_snapshot(content)

    monkeypatch.setattr(module, "compile_snapshot", counting)
    return environments


def test_a_snapshot_is_compiled_once_for_a_revision(store, environment, feature, django_assert_num_queries):
    first = store.current(environment.pk)

    with django_assert_num_queries(1):
        second = store.current(environment.pk)

    assert second is first


def test_a_change_is_seen_by_the_next_reader(store, environment, feature):
    before = store.current(environment.pk)

    FeatureState.objects.filter(environment=environment).update(enabled=True)

    after = store.current(environment.pk)
    flags = [snapshot.compiled.evaluate(None).flags[feature.name].enabled for snapshot in (before, after)]
    assert flags == [False, True]


def test_a_number_that_is_given_again_with_other_content_is_not_taken_for_the_old_one(
    store, environment, feature
):
    """As after a restore of the database: the number stands for something else, so the nonce differs."""
    before = store.current(environment.pk)
    FeatureState.objects.filter(environment=environment).update(enabled=True)
    EnvironmentRevision.objects.filter(environment_id=environment.pk).update(revision=before.name.number)

    after = store.current(environment.pk)

    assert after.compiled.evaluate(None).flags[feature.name].enabled


def test_a_transaction_sees_its_own_changes_and_leaves_nothing_behind(store, environment, feature):
    with transaction.atomic():
        FeatureState.objects.filter(environment=environment).update(enabled=True)
        inside = store.current(environment.pk)
        transaction.set_rollback(True)

    outside = store.current(environment.pk)
    assert inside.compiled.evaluate(None).flags[feature.name].enabled
    assert not outside.compiled.evaluate(None).flags[feature.name].enabled


def test_the_least_recently_read_environment_is_forgotten_first(project, compiled):
    one, two, three = (Environment.objects.create(project=project, name=name) for name in "abc")
    room_for_two = 5 * SnapshotStore().current(one.pk).size_bytes // 2
    store = SnapshotStore(most_bytes=room_for_two)
    for environment in (one, two, one, three):
        store.current(environment.pk)

    compiled.clear()
    for environment in (one, three, two):
        store.current(environment.pk)

    assert compiled == [two.pk]


def test_readers_who_come_together_compile_once(store, environment, feature, compiled):
    together = threading.Barrier(8)

    def read(_: int) -> object:
        try:
            together.wait()
            return store.current(environment.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, range(8)))

    assert len({id(snapshot) for snapshot in found}) == 1
    assert compiled == [environment.pk]


def test_a_deleted_environment_is_gone_at_once(store, environment, feature):
    store.current(environment.pk)

    environment.delete()

    with pytest.raises(Environment.DoesNotExist):
        store.current(environment.pk)


def test_an_environment_that_is_deleted_after_its_key_was_looked_up_is_unknown(
    environment, feature, sdk_client, monkeypatch
):
    def find_and_delete(key):
        found = find(key)
        environment.delete()
        return found

    monkeypatch.setattr(authentication, "find", find_and_delete)
    response = sdk_client.get("/api/v1/flags/")

    assert (response.status_code, response.json()) == (403, {"detail": "Invalid or missing Environment Key"})


def test_an_environment_without_a_revision_is_served_and_not_kept(store, environment, feature, compiled):
    """As after a restore of data alone, until everything is published anew."""
    EnvironmentRevision.objects.all().delete()

    served = [store.current(environment.pk) for _ in range(2)]

    assert [feature.name in snapshot.features for snapshot in served] == [True, True]
    assert compiled == [environment.pk] * 2


def test_readers_never_see_less_than_what_was_committed_before_they_asked(store, environment, project):
    feature = make_feature(project, "counter", value="0")
    states = FeatureState.objects.filter(feature=feature, environment=environment)
    committed = 0
    going_back: list[tuple[int, int]] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                wanted = committed
                seen = store.current(environment.pk).compiled.evaluate(None).flags["counter"].value
                assert isinstance(seen, int)
                if seen < wanted:
                    going_back.append((wanted, seen))
        finally:
            connection.close()

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(1, 60):
        states.update(integer_value=number)
        committed = number
    done.set()
    for reader in readers:
        reader.join()

    assert going_back == []

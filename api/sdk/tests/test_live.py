"""Workers that answer from memory: fresh, in step, and going on when the database doesn't."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.cache.backends.filebased import FileBasedCache
from django.db import connection, transaction
from django.utils import timezone

from documents.rows import RevisionName
from documents.tests.factories import make_feature
from environments.models import Environment, EnvironmentRevision
from environments.publishing import publish
from features.models import FeatureState
from sdk import feed, live
from sdk.contents import Content
from sdk.keys import NOT_SERVING, UNKNOWN_KEY, KeyRefused, KeyUnchecked
from sdk.sources import Source
from sdk.tests.workers import Worker, cut_other_connections, database_away, eventually, run_sql

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., Worker]


@pytest.fixture
def start(tmp_path):
    """Start a worker of one host, or of another: `start()`, `start(tmp_path / "elsewhere")`."""
    workers = []

    def begin(folder: Path = tmp_path / "host", **options: Any) -> Worker:
        workers.append(Worker(folder, **options))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.stop()


@pytest.fixture
def counter(project, environment):
    """A feature whose value is a number: `counter(7)` serves 7."""
    feature = make_feature(project, "counter", value="0")
    states = FeatureState.objects.filter(feature=feature, environment=environment)

    def count(number: int) -> None:
        states.update(type="int", integer_value=number, string_value=None)

    count(0)
    return count


@pytest.fixture
def key(environment) -> str:
    return environment.api_key


def sees(worker: Worker, key: str, number: int) -> Callable[[], bool]:
    return lambda: worker.value(key, "counter") == number


def is_listening(worker: Worker) -> Callable[[], bool]:
    return lambda: worker.live.state()["feed_is_listening"] == 1


# --- freshness ------------------------------------------------------------------------------------


def test_a_warm_worker_answers_without_the_database(start, counter, key, django_assert_num_queries):
    worker = start()
    worker.load(key)

    with database_away():
        access = worker.live.get(key)

    assert access
    assert not access.is_server_side


def test_a_change_is_heard_of_by_all_workers_before_any_poll(start, counter, key, monkeypatch):
    monkeypatch.setattr(feed, "POLL_SECONDS", 3600.0)
    workers = [start(), start()]
    for worker in workers:
        worker.load(key)
        eventually(is_listening(worker))

    counter(1)

    for worker in workers:
        eventually(sees(worker, key, 1))


def test_without_notifications_the_poll_finds_the_change(start, counter, key, monkeypatch):
    monkeypatch.setattr(feed, "REVISION_CHANNEL", "deaf")
    worker = start()
    worker.load(key)

    counter(1)

    assert eventually(sees(worker, key, 1)) < 5.0


def test_a_worker_whose_connections_are_cut_comes_back_by_itself(start, counter, key):
    worker = start()
    worker.load(key)
    eventually(is_listening(worker))

    cut_other_connections()
    counter(1)
    eventually(sees(worker, key, 1))
    eventually(is_listening(worker))
    counter(2)

    eventually(sees(worker, key, 2))


def test_threads_whose_connections_are_cut_read_on(start, counter, key):
    """As by a restart of the database. They keep their connections from one change to the next."""
    worker = start()
    worker.load(key)

    for number in range(1, 4):
        counter(number)
        eventually(sees(worker, key, number))
        cut_other_connections()


def test_a_change_that_is_rolled_back_is_never_seen(start, counter, key):
    worker = start()
    before = worker.load(key).snapshot.name

    with transaction.atomic():
        counter(1)
        transaction.set_rollback(True)
    counter(2)

    eventually(sees(worker, key, 2))
    assert worker.load(key).snapshot.name.number == before.number + 1


def test_what_has_changed_is_told_once_it_is_visible(start, counter, key):
    worker = start()
    worker.load(key)
    told = []
    worker.live.on_change.append(lambda snapshot: told.append(snapshot.name.number))

    counter(1)
    eventually(lambda: bool(told))

    assert told == [worker.load(key).snapshot.name.number]


def test_a_database_restored_to_a_lower_revision_is_published(start, counter, key, environment):
    for number in range(1, 5):
        counter(number)
    workers = [start(), start()]
    for worker in workers:
        eventually(sees(worker, key, 4))

    with connection.cursor() as cursor:
        # As a restore does it: nothing fires, nobody is notified.
        cursor.execute("SET session_replication_role = replica")
        counter(1)
        EnvironmentRevision.objects.update(revision=2, nonce="8f9b4d5e-0d3c-4a0e-9f57-5d6b9c1f0b11")
        cursor.execute("SET session_replication_role = origin")

    for worker in workers:
        eventually(sees(worker, key, 1), within_seconds=6.0)
        assert worker.load(key).snapshot.name.number == 2
        assert worker.live.get(key)  # the floor has gone down with it
    counter(9)
    for worker in workers:
        eventually(sees(worker, key, 9))


def test_publishing_by_hand_makes_all_workers_read_again(start, counter, key, environment):
    worker = start()
    before = worker.load(key).snapshot.name

    publish([environment])

    eventually(lambda: worker.load(key).snapshot.name.number == before.number + 1)


# --- one host -------------------------------------------------------------------------------------


def test_workers_of_one_host_build_a_revision_once(start, counter, key):
    workers = [start(), start(), start()]
    for worker in workers:
        worker.load(key)
    for number in range(1, 6):
        counter(number)
        for worker in workers:
            eventually(sees(worker, key, number))

    built = sum(worker.live.state()["snapshots_built"] for worker in workers)

    assert built == 6


def test_reads_over_the_workers_of_a_host_never_go_back(start, counter, key):
    workers = [start(), start()]
    done = threading.Event()

    def write() -> None:
        try:
            for number in range(1, 40):
                counter(number)
        finally:
            connection.close()
            done.set()

    for worker in workers:
        worker.load(key)
    writer = threading.Thread(target=write)
    writer.start()
    seen, reads, backwards = 0, 0, []
    while reads < 100_000 or not done.is_set():
        worker = workers[reads % 2]
        number = (worker.live.get(key) or worker.load(key)).snapshot.name.number
        if number < seen:
            backwards.append((seen, number))
        seen = max(seen, number)
        reads += 1
    writer.join()

    assert backwards == []


def test_a_reader_paused_between_reading_and_installing_cannot_bring_old_flags_back(
    start, counter, key, monkeypatch
):
    slow, quick = start(), start()
    for worker in (slow, quick):
        worker.load(key)
    has_read, may_install = threading.Event(), threading.Event()
    newer_than = slow.store._source.newer_than

    def read_and_pause(*arguments: Any, **options: Any) -> Content | None:
        content = newer_than(*arguments, **options)
        has_read.set()
        may_install.wait(20)
        return content

    monkeypatch.setattr(slow.store._source, "newer_than", read_and_pause)
    counter(1)
    has_read.wait(20)
    counter(2)
    eventually(sees(quick, key, 2))
    may_install.set()

    seen = []
    for _ in range(200):
        access = slow.live.get(key)
        if access:
            seen.append(access.snapshot.compiled.evaluate(None).flags["counter"].value)
        time.sleep(0.001)
    eventually(sees(slow, key, 2))
    assert set(seen) <= {2}


# --- several hosts --------------------------------------------------------------------------------


class AtomicFileCache(FileBasedCache):
    """Files whose `add` succeeds for one caller only, as Redis and Memcached do; Django's own doesn't."""

    _adding = threading.Lock()

    def add(self, *arguments: Any, **options: Any) -> bool:
        with self._adding:
            return bool(super().add(*arguments, **options))


@pytest.fixture
def shared_cache(settings, tmp_path):
    """A cache that other hosts see too."""
    settings.CACHES = {
        **settings.CACHES,
        "environments": {
            "BACKEND": f"{__name__}.{AtomicFileCache.__name__}",
            "LOCATION": str(tmp_path / "cache"),
            "TIMEOUT": 3600,
        },
    }


def test_hosts_that_share_a_cache_build_a_revision_once(
    start, counter, key, shared_cache, tmp_path, monkeypatch
):
    monkeypatch.setattr("sdk.sources._OTHER_HOST_SECONDS", 60.0)  # however slow this machine is
    monkeypatch.setattr("sdk.shared_cache._CLAIM_SECONDS", 60)
    hosts = [start(tmp_path / name) for name in "abc"]
    for number in range(1, 4):
        counter(number)
        for worker in hosts:
            eventually(sees(worker, key, number))

    states = [worker.live.state() for worker in hosts]

    assert sum(state["snapshots_built"] for state in states) == 3
    assert sum(state["snapshots_from_cache"] for state in states) == 6


def test_a_host_without_files_starts_from_the_shared_cache(start, counter, key, shared_cache, tmp_path):
    counter(5)
    start(tmp_path / "one").load(key)

    with database_away():
        worker = start(tmp_path / "new")

        assert worker.value(key, "counter") == 5


# --- keys -----------------------------------------------------------------------------------------


def is_refused(worker: Worker, key: str, reason: str = UNKNOWN_KEY) -> bool:
    try:
        worker.load(key)
    except KeyRefused as refused:
        return str(refused) == reason
    return False


def test_a_server_side_key_opens_what_only_servers_see(start, counter, environment):
    server_key = environment.server_side_keys.create(name="server").key

    assert start().load(server_key).is_server_side


def test_a_key_that_was_unknown_opens_as_soon_as_it_is_made(start, counter, key, environment, monkeypatch):
    monkeypatch.setattr("sdk.store._UNKNOWN_SECONDS", 3600.0)
    worker = start()
    worker.load(key)
    eventually(is_listening(worker))
    assert is_refused(worker, "ser.new")

    environment.server_side_keys.create(name="new", key="ser.new")

    assert eventually(lambda: not is_refused(worker, "ser.new")) < 2.0


def test_a_key_that_was_unknown_opens_as_soon_as_its_environment_is_made(
    start, counter, key, project, monkeypatch
):
    monkeypatch.setattr("sdk.store._UNKNOWN_SECONDS", 3600.0)
    worker = start()
    eventually(is_listening(worker))
    assert is_refused(worker, "new")

    Environment.objects.create(project=project, name="New", api_key="new")

    assert eventually(lambda: not is_refused(worker, "new")) < 2.0


def test_a_new_key_of_a_held_environment_need_not_wait_for_its_notification(
    start, counter, key, environment, monkeypatch
):
    monkeypatch.setattr(feed, "REVISION_CHANNEL", "deaf")
    worker = start()
    worker.load(key)

    environment.server_side_keys.create(name="new", key="ser.new")

    assert worker.load("ser.new").is_server_side


@pytest.mark.parametrize(
    "end",
    [
        lambda server_key: server_key.delete(),
        lambda server_key: type(server_key).objects.filter(pk=server_key.pk).update(active=False),
        lambda server_key: server_key.environment.delete(),
        lambda server_key: server_key.environment.project.delete(),
        lambda server_key: server_key.environment.project.organisation.delete(),
    ],
)
def test_a_key_that_ends_is_refused_by_every_worker(start, counter, environment, end):
    server_key = environment.server_side_keys.create(name="server")
    workers = [start(), start()]
    for worker in workers:
        worker.load(server_key.key)

    end(server_key)

    for worker in workers:
        assert eventually(partial(is_refused, worker, server_key.key)) < 2.0


def test_a_key_is_refused_from_the_moment_it_expires(start, counter, environment):
    expires_at = timezone.now() + timedelta(seconds=1)
    server_key = environment.server_side_keys.create(name="server", expires_at=expires_at)
    worker = start()
    worker.load(server_key.key)

    eventually(lambda: timezone.now() > expires_at)

    assert worker.live.get(server_key.key) is None
    assert is_refused(worker, server_key.key)


def test_a_changed_client_side_key_takes_the_place_of_the_old(start, counter, key, environment):
    worker = start()
    worker.load(key)

    Environment.objects.filter(pk=environment.pk).update(api_key="another")

    eventually(lambda: is_refused(worker, key))
    assert worker.load("another").snapshot.environment_id == environment.pk


def test_an_organisation_that_stops_serving_flags_is_heard_of(start, counter, key, environment):
    worker = start()
    worker.load(key)

    type(environment.project.organisation).objects.update(stop_serving_flags=True)

    eventually(lambda: is_refused(worker, key, NOT_SERVING))


def test_unknown_keys_are_asked_for_once(start, counter, monkeypatch):
    worker = start()
    monkeypatch.setattr("sdk.store._UNKNOWN_SECONDS", 3600.0)
    assert is_refused(worker, "unknown")

    with database_away():
        assert is_refused(worker, "unknown")


# --- survival -------------------------------------------------------------------------------------


def test_reads_go_on_while_the_database_is_away_and_say_how_old_they_may_be(
    start, counter, key, environment, monkeypatch
):
    monkeypatch.setattr(live, "DEGRADED_AFTER_SECONDS", 1.2)
    worker = start()
    worker.load(key)
    eventually(lambda: worker.live.degraded_seconds(environment.pk) is None)

    with database_away():
        eventually(lambda: (worker.live.degraded_seconds(environment.pk) or 0) >= 1)
        assert worker.value(key, "counter") == 0
        counter(1)

    eventually(sees(worker, key, 1))
    eventually(lambda: worker.live.degraded_seconds(environment.pk) is None)


def test_a_start_without_database_serves_what_the_host_has(start, counter, key, environment):
    server_key = environment.server_side_keys.create(name="server").key
    counter(5)
    first = start()
    first.load(key)
    eventually(lambda: first.live.degraded_seconds(environment.pk) is None)

    with database_away():
        second = start()

        assert second.value(key, "counter") == 5
        assert second.load(server_key).is_server_side


def test_while_nothing_can_be_checked_an_unknown_key_is_not_refused(start, counter, key):
    worker = start()
    worker.load(key)

    with database_away(), pytest.raises(KeyUnchecked) as unchecked:
        worker.load("unknown")

    assert unchecked.value.retry_after_seconds > 0
    eventually(lambda: is_refused(worker, "unknown"))


@pytest.fixture
def hanging():
    """Let looking up keys hang inside the block: `with hanging(): ...`."""

    @contextmanager
    def hold() -> Iterator[None]:
        with transaction.atomic():
            run_sql("LOCK TABLE environments_environment IN ACCESS EXCLUSIVE MODE")
            yield

    return hold


def test_nobody_waits_for_a_database_that_says_nothing_to_the_feed_either(
    start, counter, key, hanging, monkeypatch
):
    monkeypatch.setattr(live, "_SILENT_SECONDS", 0.0)
    monkeypatch.setattr(live, "_LONGEST_LOAD_SECONDS", 60.0)
    worker = start()
    worker.load(key)
    with hanging():
        begin = time.monotonic()

        with pytest.raises(KeyUnchecked):
            worker.load("unknown")

        assert time.monotonic() - begin < 3.0
        assert worker.live.get(key)


def test_who_comes_late_in_a_database_that_answers_others_waits_longer(
    start, counter, key, hanging, monkeypatch
):
    monkeypatch.setattr(live, "_SILENT_SECONDS", 60.0)
    monkeypatch.setattr(live, "_LONGEST_LOAD_SECONDS", 60.0)
    worker = start()
    worker.load(key)
    with hanging():
        waiting = asyncio.run_coroutine_threadsafe(worker.live.load("unknown"), worker.loop)
        time.sleep(4 * live._LOAD_SECONDS)
        assert not waiting.done()

    with pytest.raises(KeyRefused):
        waiting.result(10)


def test_nobody_waits_for_ever(start, counter, key, hanging, monkeypatch):
    monkeypatch.setattr(live, "_LONGEST_LOAD_SECONDS", 0.3)
    worker = start()
    worker.load(key)

    with hanging(), pytest.raises(KeyUnchecked):
        worker.load("unknown")


def test_a_deleted_environment_leaves_no_file_to_start_from(start, counter, key, environment):
    worker = start()
    worker.load(key)

    environment.delete()
    eventually(lambda: is_refused(worker, key))

    with database_away(), pytest.raises(KeyUnchecked):
        start().load(key)


def test_a_worker_below_the_floor_takes_what_its_neighbour_knows_though_the_database_is_away(
    start, counter, key, monkeypatch
):
    deaf, informed = start(), start()
    for worker in (deaf, informed):
        worker.load(key)
    monkeypatch.setattr(deaf.live, "_want", lambda environment_id: None)
    counter(1)
    eventually(sees(informed, key, 1))

    with database_away():
        assert deaf.value(key, "counter") == 1


def test_memory_is_bounded_and_the_least_recently_used_leave(start, project):
    environments = [Environment.objects.create(project=project, name=f"{number}") for number in range(6)]
    worker = start(most_bytes=50_000)

    for environment in environments:
        worker.load(environment.api_key)

    state = worker.live.state()
    assert state["snapshot_bytes"] <= 50_000
    assert state["snapshots_evicted"] == 6 - state["snapshots"]
    assert worker.live.get(environments[0].api_key) is None
    assert worker.live.get(environments[5].api_key)


def test_what_is_watched_is_heard_of_though_it_has_left_and_comes_back(start, counter, key, project):
    worker = start(most_bytes=30_000)
    told: list[RevisionName] = []
    ended: list[int] = []
    worker.live.on_change.append(lambda snapshot: told.append(snapshot.name))
    worker.live.on_end.append(ended.append)
    watched = worker.load(key).snapshot
    worker.live.watch(watched)
    for number in range(4):
        worker.load(Environment.objects.create(project=project, name=f"{number}").api_key)
    assert worker.live.get(key) is None

    counter(1)
    eventually(lambda: told[-1].environment_id == watched.environment_id)
    assert worker.value(key, "counter") == 1
    Environment.objects.filter(pk=watched.environment_id).delete()

    eventually(lambda: ended == [watched.environment_id])
    assert watched.environment_id not in worker.store.names()


def test_a_source_without_files_or_cache_reads_the_rows(counter, environment):
    content = Source().newer_than(None, environment.pk)

    assert content
    assert Source().newer_than(content.revision.name, environment.pk) is None

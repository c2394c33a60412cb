"""What holds for every back end of caches that we name: Redis, Memcached, the database, local memory.

Against real servers, which the tests start: the pinned packages' Valkey, and Memcached where there is one.
"""

import os
import pickle
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection

from core.cache_places import CachePlace
from core.caches import DATABASE, LOCAL_MEMORY, MEMCACHED, REDIS, bytes_cache, counting_cache
from core.kept_bytes import KeptBytes
from core.tests.cache_servers import CacheServer, free_port, running
from core.throttling.counters import CacheCounters
from documents.rows import RevisionName
from sdk.packing import pack
from sdk.shared_cache import SharedCache

NAME = RevisionName(12, 345, uuid.UUID("8f9b4d5e-0d3c-4a0e-9f57-5d6b9c1f0b11"))
# They don't become smaller by compressing.
LARGE, IN_PIECES = os.urandom(5_000_000), os.urandom(1_000_000)
TABLE = "kept-for-tests"
SERVERS = ["redis", "memcached"]
_PATIENT = {
    REDIS: {"socket_timeout": "10", "socket_connect_timeout": "10"},
    MEMCACHED: {"timeout": "10", "connect_timeout": "10"},
}
# Where waiting is what is tested, only this: which is how long the client leaves a server alone by itself.
_IMPATIENT = {MEMCACHED: {"dead_timeout": "0"}}


class Trap:
    """Unpickling it is noticed."""

    is_sprung = False

    def __reduce__(self):
        return spring, ()


def spring() -> None:
    Trap.is_sprung = True


@dataclass
class BackEnd:
    backend: str
    location: str
    is_shared: bool = True

    def settings(self, seconds: int | None = 60, *, is_patient: bool = True) -> dict:
        """Patient, where it isn't the waiting that is tested: a busy machine takes its time."""
        options = _PATIENT if is_patient else _IMPATIENT
        return bytes_cache(self.backend, self.location, seconds, options=options.get(self.backend))


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, CacheServer]]:
    with ExitStack() as stack:
        started: dict[str, CacheServer] = {}

        class Starting(dict):
            def __missing__(self, name: str) -> CacheServer:
                self[name] = stack.enter_context(running(name))
                return self[name]

        yield Starting(started)


def find(name: str, servers: dict[str, CacheServer]) -> BackEnd:
    if name == "database":
        call_command("createcachetable", TABLE, verbosity=0)
        return BackEnd(DATABASE, TABLE)
    if name == "local memory":
        return BackEnd(LOCAL_MEMORY, TABLE, is_shared=False)
    return BackEnd(servers[name].backend, servers[name].location)


@pytest.fixture(params=[*SERVERS, "database", "local memory"])
def back_end(request, settings, db, servers) -> BackEnd:
    """One after the other, as what keeps documents."""
    found = find(request.param, servers)
    settings.CACHES = {**settings.CACHES, "environments": found.settings()}
    caches["environments"].clear()
    return found


def test_what_was_written_is_read_at_any_length_until_the_cache_is_flushed(back_end):
    place, kept, cache = CachePlace("environments"), KeptBytes("environments"), SharedCache()
    place.write("small", b"1", beside={"hint": b"hint"})
    kept.keep("large", LARGE)
    cache.write(NAME, pack(NAME, LARGE), keys=["a-key"])

    assert (place.read("small"), place.text("hint"), kept.find("large")) == (b"1", "hint", LARGE)
    assert [place.add("once", b"1"), place.add("once", b"2")] == [True, False]
    if back_end.is_shared:
        other = SharedCache()
        outlives_the_database = back_end.backend != DATABASE
        assert other.read(NAME) == LARGE
        assert other.latest(12) == ((NAME, LARGE) if outlives_the_database else None)
        assert other.environment_of("a-key") == (12 if outlives_the_database else None)
        assert [cache.claim(NAME), other.claim(NAME)] == [True, False]
    else:
        assert cache.read(NAME) is None

    caches["environments"].clear()

    assert (place.read("small"), kept.find("large"), cache.read(NAME)) == (None, None, None)
    kept.keep("large", b"again")
    assert kept.find("large") == b"again"
    assert place.failures == 0


def test_what_is_not_whole_or_not_ours_is_as_good_as_none(back_end):
    place, kept, cache = CachePlace("environments"), KeptBytes("environments"), SharedCache()
    raw = caches["environments"]
    kept.keep("ours", IN_PIECES)
    cache.write(NAME, pack(NAME, IN_PIECES), keys=[])
    first = raw.get("ours")
    foreign = [b"", b"\0\1", b"\0\1garbage", pickle.dumps(Trap()), b"\0\1" + pickle.dumps(Trap()), first[:-1]]

    for entry in foreign:
        raw.set("ours", entry)
        raw.set(f"BRG2:content:{NAME}", entry)
        raw.set("BRG2:latest:12", entry)
        assert (kept.find("ours"), cache.read(NAME), cache.latest(12)) == (None, None, None)
    raw.set("ours", first)
    assert kept.find("ours") == IN_PIECES
    raw.set("another", first)
    raw.set_many({f"another:{number}": raw.get(f"ours:{number}") for number in range(1, 2)})
    assert kept.find("another") is None  # whole, and sealed under the name that it isn't asked for by
    raw.delete("ours:1")
    assert kept.find("ours") is None

    if back_end.backend == DATABASE:
        with connection.cursor() as cursor:
            cursor.execute(f'UPDATE "{TABLE}" SET value = %s', ["not base64"])
        assert kept.find("another") is None
    assert not Trap.is_sprung
    assert place.failures == 0


def test_entries_expire(settings, db, servers):
    names = [*SERVERS, "database", "local memory"]
    found = {}
    for name in names:
        try:
            found[name] = find(name, servers)
        except pytest.skip.Exception:  # the other tests say so
            continue
    settings.CACHES = {
        **settings.CACHES,
        **{name: each.settings(1) for name, each in found.items()},
        **{f"{name}, for ever": each.settings(None) for name, each in found.items()},
    }
    for name in found:
        CachePlace(name).write("a", b"1")
        CachePlace(f"{name}, for ever").write("b", b"1")
        assert CachePlace(name).read("a") == b"1"

    deadline = time.monotonic() + 5
    while any(CachePlace(name).read("a") for name in found) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert [name for name in found if CachePlace(name).read("a")] == []
    assert [name for name in found if CachePlace(f"{name}, for ever").read("b") is None] == []


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_is_away_or_frozen_is_asked_once_and_not_waited_for(settings, servers, name):
    found = find(name, servers)
    away = f"redis://127.0.0.1:{free_port()}" if name == "redis" else f"127.0.0.1:{free_port()}"
    settings.CACHES = {
        **settings.CACHES,
        "environments": found.settings(is_patient=False),
        "flags": bytes_cache(found.backend, away, 60),
    }
    place, cache, lost = CachePlace("environments"), SharedCache(), CachePlace("flags")
    assert place.read("a") is None  # connected

    with servers[name].frozen():
        begin = time.monotonic()
        answers = [(each.read("a"), each.add("a", b"1")) for each in (place, lost) for _ in range(3)]
        claims = [cache.claim(NAME) for _ in range(3)]
        taken = time.monotonic() - begin

    assert set(answers) == {(None, None)}
    assert claims == [True] * 3  # nobody waits for what nobody else can be building
    assert (place.failures, lost.failures, cache.failures) == (1, 1, 1)
    assert cache.is_left_alone
    assert taken < 5.0  # else as long as it is frozen
    place._left_alone_until = 0.0
    eventually(lambda: place.add("again", b"1"), place)


def eventually(true, place) -> None:
    """The client itself leaves a server alone for a while."""
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        place._left_alone_until = 0.0
        time.sleep(0.05)


def test_a_table_that_is_missing_leaves_an_open_transaction_as_it_was(settings, db):
    settings.CACHES = {**settings.CACHES, "environments": bytes_cache(DATABASE, "missing", 60)}
    place = CachePlace("environments")

    assert place.read("a") is None

    assert place.failures == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_locked_is_waited_for_a_second_and_nobody_connects_to_ask_it(settings):
    call_command("createcachetable", TABLE, verbosity=0)
    settings.CACHES = {**settings.CACHES, "environments": bytes_cache(DATABASE, TABLE, 60)}
    place, another = CachePlace("environments"), connection.copy()
    place.write("a", b"1")
    assert place.read("a") == b"1"
    another.connect()
    another.set_autocommit(False)
    with another.wrap_database_errors:
        another.connection.cursor().execute(f'LOCK TABLE "{TABLE}"')

    begin = time.monotonic()
    assert place.read("a") is None
    assert (place.failures, place.is_left_alone) == (1, True)
    assert time.monotonic() - begin < 3

    another.close()
    place._left_alone_until = 0.0
    assert connection.connection is None
    assert place.read("a") is None
    assert (connection.connection, place.failures) == (None, 1)
    connection.ensure_connection()
    assert place.read("a") == b"1"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE "{TABLE}"')


def test_a_table_holds_at_most_so_many_entries(settings, db, monkeypatch):
    monkeypatch.setattr("core.database_cache._WRITES_BETWEEN_COUNTS", 2)
    call_command("createcachetable", TABLE, verbosity=0)
    settings.CACHES = {
        **settings.CACHES,
        "environments": bytes_cache(DATABASE, TABLE, 60, options={"MAX_ENTRIES": "3"}),
    }

    caches["environments"].set_many({str(number): b"1" for number in range(5)})
    caches["environments"].set("last", b"1", 3600)

    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{TABLE}"')
        assert cursor.fetchone() == (3,)
    assert caches["environments"].get("last") == b"1"


def test_what_is_kept_for_ever_goes_with_the_next_revision_and_with_the_environment(settings, db):
    call_command("createcachetable", TABLE, verbosity=0)
    settings.CACHES = {**settings.CACHES, "environment-documents": bytes_cache(DATABASE, TABLE, None)}
    cache, newer = SharedCache(), NAME._replace(number=346)
    cache.write(NAME, pack(NAME, IN_PIECES), keys=[])

    cache.write(newer, pack(newer, IN_PIECES), keys=[])

    assert (cache.read(NAME), cache.read(newer)) == (None, IN_PIECES)
    cache.forget(12)
    assert cache.read(newer) is None
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{TABLE}"')
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("name", SERVERS)
def test_a_throttle_counts_in_a_cache_that_all_workers_share(name, settings, servers):
    found = find(name, servers)
    settings.CACHES = {**settings.CACHES, "user_throttle": counting_cache(found.backend, found.location, {})}
    counters = [CacheCounters("user_throttle") for _ in range(2)]

    waits = [each.take("kim", limit=2, seconds=86_400) for _ in range(2) for each in counters]

    assert [wait is None for wait in waits] == [True, True, False, False]

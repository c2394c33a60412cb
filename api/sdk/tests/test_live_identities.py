"""Identities in batches: nobody's change is lost, nobody waits for a database that is away."""

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import pytest
from django.db import connection, transaction
from rest_framework.exceptions import ValidationError

from core import reconnecting
from identities.batches import TraitChanges
from identities.kept_traits import kept_traits
from identities.models import Identity, TraitKey
from identities.selectors import stored_identities
from identities.services import store_traits
from identities.writes import noted_writes
from sdk import batching, live_identities
from sdk.identities import EnvironmentGone, Knowledge, TraitPolicy
from sdk.inputs import GivenIdentity, GivenTrait
from sdk.live_identities import LiveIdentities
from sdk.tests.workers import database_away, eventually, run_sql

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")

STORING = TraitPolicy(accepts_traits=True, stores_traits=True)
NOWHERE = 2**31 - 1


class Worker:
    """The identities of a worker, on a loop in a thread."""

    def __init__(self) -> None:
        self.identities = LiveIdentities()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._loop.call_soon_threadsafe(self.identities.start)

    def run(self, *work: Callable[[], Awaitable[T]]) -> list[Any]:
        """Do all of it at the same time, and return what each returned or raised."""

        async def together() -> list[Any]:
            return await asyncio.gather(*(each() for each in work), return_exceptions=True)

        return asyncio.run_coroutine_threadsafe(together(), self._loop).result(20)

    def know(self, environment, *given: GivenIdentity, policy: TraitPolicy = STORING) -> Knowledge:
        (knowledge,) = self.run(lambda: self.identities.know(environment.pk, given, policy))
        if isinstance(knowledge, BaseException):
            raise knowledge
        return knowledge

    def state(self, what: str) -> float:
        return self.identities.state()[what]

    def stop(self) -> None:
        self.run(self.identities.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def start():
    """Start a worker: `start()`."""
    workers = []

    def begin() -> Worker:
        workers.append(Worker())
        return workers[-1]

    yield begin
    for worker in workers:
        if worker._thread.is_alive():
            worker.stop()


@pytest.fixture
def worker(start) -> Worker:
    return start()


@pytest.fixture(autouse=True)
def patient(monkeypatch) -> None:
    """Let a busy machine's database take its time, where it isn't away."""
    monkeypatch.setattr(batching, "PATIENCE_SECONDS", 20.0)
    monkeypatch.setattr(reconnecting, "_STATEMENT_SECONDS", 20.0)


@contextmanager
def impatience() -> Iterator[None]:
    """Give statements up soon, so that the test needn't wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batching, "PATIENCE_SECONDS", 0.05)
        patch.setattr(reconnecting, "_STATEMENT_SECONDS", 0.3)
        yield


@contextmanager
def away() -> Iterator[None]:
    """Be without a database inside the block."""
    with impatience(), database_away():
        yield


def given(identifier: str = "kim", *, transient: bool = False, **traits: Any) -> GivenIdentity:
    return GivenIdentity(identifier, transient, {key: GivenTrait(value) for key, value in traits.items()})


def traits(knowledge: Knowledge, index: int = 0) -> dict[str, Any]:
    return {key: trait.value for key, trait in knowledge.known[index].traits.items()}


def stored(environment, identifier: str = "kim") -> dict[str, Any] | None:
    found = stored_identities(environment.pk, [identifier]).get(identifier)
    return found.traits if found else None


@contextmanager
def locked(identifier: str) -> Iterator[None]:
    """Hold the row of an identity, as a long transaction of somebody else does."""
    with transaction.atomic():
        Identity.objects.select_for_update().get(identifier=identifier)
        yield


def waiting(worker: Worker) -> float:
    """Return how many changes are still to be stored."""
    return worker.state("identities_stored_buffered")


def is_running(backend: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [backend])
        return cursor.fetchone() is not None


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


# --- with the database ------------------------------------------------------------------------------


def test_what_is_asked_at_once_is_a_few_statements(worker, environment):
    answers = worker.run(
        *(
            lambda number=number: worker.identities.know(
                environment.pk, [given(f"user-{number}", age=number)], STORING
            )
            for number in range(300)
        )
    )

    assert [traits(each) for each in answers] == [{"age": number} for number in range(300)]
    assert all(each.is_persisted and each.away_seconds is None for each in answers)
    assert worker.state("identities_stored_batches") <= 3
    assert Identity.objects.count() == 300
    assert list(TraitKey.objects.values_list("key", flat=True)) == ["age"]


def test_64_first_writers_in_two_workers_lose_nothing(start, environment):
    workers = [start(), start()]

    answers: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda worker=worker, first=first: answers.extend(
                worker.run(
                    *(
                        lambda number=number: worker.identities.know(
                            environment.pk, [given("kim", **{f"trait-{number}": number})], STORING
                        )
                        for number in range(first, 64, 2)
                    )
                )
            )
        )
        for first, worker in enumerate(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 64
    assert all(each.is_persisted for each in answers)
    assert stored(environment) == {f"trait-{number}": number for number in range(64)}
    assert Identity.objects.count() == 1


def test_two_workers_that_write_the_same_identities_never_wait_for_each_other_in_a_circle(start, environment):
    workers = [start(), start()]
    people = [f"user-{number}" for number in range(40)]

    def write(worker: Worker, number: int) -> None:
        for visits in range(15):
            everyone = [
                given(name, visits=visits, **{f"worker-{number}-{visits}": True})
                for name in random.sample(people, len(people))
            ]
            worker.know(environment, *everyone)

    threads = [threading.Thread(target=write, args=[worker, number]) for number, worker in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [worker.state("identities_stored_failed") for worker in workers] == [0, 0]
    found = stored_identities(environment.pk, people)
    assert {len(identity.traits) for identity in found.values()} == {31}


def test_each_is_answered_with_its_own_traits_over_those_that_are_stored(worker, environment):
    store_traits([TraitChanges(environment.pk, "kim", {"plan": "free", "age": 30})])

    first, second, third = worker.run(
        lambda: worker.identities.know(environment.pk, [given(plan="pro")], STORING),
        lambda: worker.identities.know(environment.pk, [given(plan="team", age=None)], STORING),
        lambda: worker.identities.know(
            environment.pk, [GivenIdentity("kim", False, {"plan": GivenTrait("mine", True)})], STORING
        ),
    )

    assert traits(first) == {"plan": "pro"}
    assert traits(second) == {"plan": "team"}
    assert traits(third) == {"plan": "mine"}
    assert stored(environment) == {"plan": "team"}


def test_a_transient_identity_is_read_and_left_as_it_is(worker, environment):
    store_traits([TraitChanges(environment.pk, "kim", {"plan": "free"})])

    kim, nobody = (
        worker.know(environment, given(name, transient=True, age=30)) for name in ("kim", "nobody")
    )

    assert traits(kim) == {"plan": "free", "age": 30}
    assert traits(nobody) == {"age": 30}
    assert stored(environment) == {"plan": "free"}
    assert stored(environment, "nobody") is None
    assert worker.state("identities_stored_batches") == 0


def test_where_traits_are_not_stored_the_identity_is(worker, environment):
    policy = TraitPolicy(accepts_traits=True, stores_traits=False)

    knowledge = worker.know(environment, given(plan="pro"), policy=policy)

    assert traits(knowledge) == {"plan": "pro"}
    assert stored(environment) == {}


def test_several_of_one_request_come_in_their_order(worker, environment):
    knowledge = worker.know(
        environment, given("b", n=1), given(""), given("a", n=2), given("b", transient=True)
    )

    assert [each.identifier for each in knowledge.known][::2] == ["b", "a"]
    assert [traits(knowledge, index) for index in (0, 1, 2)] == [{"n": 1}, {}, {"n": 2}]
    assert knowledge.known[3].identifier == "b"


@pytest.mark.parametrize(
    ("poison", "refusal"),
    [
        (TraitChanges(NOWHERE, "kim", {"plan": "pro"}), EnvironmentGone),
        (TraitChanges(NOWHERE, "kim"), EnvironmentGone),
        (TraitChanges(1, "kim\0", {}), ValidationError),
        (TraitChanges(1, "kim", {"plan": "\0"}), ValidationError),
        (TraitChanges(1, "kim", {"plan": "\ud800"}), ValidationError),
        (TraitChanges(1, "kim", {"age": float("nan")}), ValidationError),
        (TraitChanges(1, "kim", {"plan": cast(Any, object())}), ValidationError),
        (TraitChanges(2**40, "kim"), ValidationError),
    ],
    ids=[
        "traits nowhere",
        "nowhere",
        "NUL in identifier",
        "NUL",
        "surrogate",
        "NaN",
        "not JSON",
        "no environment's id",
    ],
)
def test_a_poisoned_item_fails_alone(worker, environment, poison, refusal):
    environment_id = environment.pk if poison.environment_id == 1 else poison.environment_id
    poison = TraitChanges(environment_id, f"poisoned {poison.identifier}", poison.values)
    good = [TraitChanges(environment.pk, f"user-{number}", {"age": number}) for number in range(64)]

    outcomes = worker.run(
        *(lambda each=each: worker.identities.store([each]) for each in [*good[:20], poison, *good[20:]])
    )

    assert isinstance(outcomes.pop(20), refusal)
    assert outcomes == [True] * 64
    assert Identity.objects.count() == 64
    assert worker.state("identities_stored_refused") == 1
    assert worker.state("identities_stored_connections_lost") == 0


# --- without it -------------------------------------------------------------------------------------


def test_a_cut_connection_is_opened_again_and_nobody_notices(worker, environment):
    worker.know(environment, given(a=1))

    run_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'burgee%'")
    knowledge = worker.know(environment, given(b=2))

    assert knowledge.is_persisted
    assert traits(knowledge) == {"a": 1, "b": 2}
    assert worker.state("identities_stored_connections_lost") == 1


def test_nobody_needs_the_database_for_nobody(worker, environment):
    with database_away():
        knowledge = worker.know(environment, given("", plan="pro"))

    assert knowledge.is_persisted
    assert knowledge.away_seconds is None


def test_without_a_database_traits_wait_and_count_already(worker, environment):
    store_traits([TraitChanges(environment.pk, "kim", {"plan": "free", "seen": True})])

    with away():
        first = worker.know(environment, given(plan="pro", old=1))
        second = worker.know(environment, given(age=30, old=None))
        bare = worker.know(environment, given())
        transient = worker.know(environment, given(transient=True, city="Ghent"))

        assert traits(first) == {"plan": "pro", "old": 1}
        assert traits(second) == traits(bare) == {"plan": "pro", "age": 30}
        assert traits(transient) == {"plan": "pro", "age": 30, "city": "Ghent"}
        assert [each.is_persisted for each in (first, second, bare, transient)] == [False] * 3 + [True]
        assert {each.away_seconds for each in (first, second, bare, transient)} == {0}
        assert worker.state("identities_stored_is_away") == 1

    eventually(lambda: not waiting(worker))
    assert stored(environment) == {"plan": "pro", "age": 30, "seen": True}
    assert stored(environment, "nobody") is None
    eventually(lambda: worker.know(environment, given(transient=True)).away_seconds is None)
    knowledge = worker.know(environment, given())
    assert knowledge.is_persisted
    assert traits(knowledge) == {"plan": "pro", "age": 30, "seen": True}


def test_whatever_waits_is_written_once_the_database_is_back(worker, environment):
    people = [f"user-{number}" for number in range(600)]
    with away():
        for visits in range(3):
            worker.run(
                *(
                    lambda name=name, visits=visits: worker.identities.know(
                        environment.pk, [given(name, visits=visits, **{f"visit-{visits}": True})], STORING
                    )
                    for name in people
                )
            )

    eventually(lambda: not waiting(worker))
    found = stored_identities(environment.pk, people)
    assert {name: identity.traits for name, identity in found.items()} == {
        name: {"visits": 2, "visit-0": True, "visit-1": True, "visit-2": True} for name in people
    }


def test_what_waits_has_a_bound_and_everyone_is_answered(start, environment, settings):
    settings.TRAIT_BUFFER_BYTES = 10_000
    worker = start()
    with away():
        worker.know(environment, given("first"))
        answers = [worker.know(environment, given(f"user-{number}", text="x" * 500)) for number in range(50)]
        kept_bytes = worker.state("identities_stored_buffered_bytes")

    assert all(traits(each) == {"text": "x" * 500} and not each.is_persisted for each in answers)
    assert 5_000 < kept_bytes <= 10_000
    eventually(lambda: not waiting(worker))
    dropped = worker.state("identities_stored_dropped")
    assert 0 < dropped < 50
    assert Identity.objects.count() == 51 - dropped
    assert worker.state("identities_stored_buffered_bytes") == 0


def test_what_waits_is_written_at_shutdown(worker, environment):
    with away():
        assert not worker.know(environment, given(a=1)).is_persisted
        assert not worker.know(environment, given("lee", a=2)).is_persisted

    worker.stop()

    assert (stored(environment), stored(environment, "lee")) == ({"a": 1}, {"a": 2})


def test_a_server_that_only_reads_is_left_for_the_one_that_takes_its_place(worker, environment):
    name = connection.settings_dict["NAME"]
    run_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        with impatience():
            knowledge = worker.know(environment, given(plan="pro"))
    finally:
        run_sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")

    assert not knowledge.is_persisted
    eventually(lambda: not waiting(worker))
    assert stored(environment) == {"plan": "pro"}


def test_nobody_waits_for_a_row_that_is_locked(worker, environment):
    worker.know(environment, given())

    with impatience(), locked("kim"):
        knowledge = worker.know(environment, given(plan="pro"))
        other = worker.know(environment, given("lee", plan="pro"))

    assert (knowledge.is_persisted, other.is_persisted) == (False, False)
    eventually(lambda: not waiting(worker))
    assert stored(environment) == stored(environment, "lee") == {"plan": "pro"}


def test_a_statement_that_was_given_up_comes_never_after_a_later_one(worker, environment):
    """A frozen backend has the older change before it, and would carry it out when it goes on."""
    worker.know(environment, given(plan="free"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'burgee%stored%'")
        ((backend,),) = cursor.fetchall()

    with impatience(), frozen(backend):
        older = worker.know(environment, given(plan="pro"))
        eventually(lambda: worker.state("identities_stored_connections_lost") == 1)
        later = worker.know(environment, given(plan="team"))
        eventually(lambda: worker.state("identities_stored_failed") >= 3 or not waiting(worker))

    eventually(lambda: not waiting(worker))
    eventually(lambda: not is_running(backend))
    assert (older.is_persisted, later.is_persisted) == (False, False)
    assert stored(environment) == {"plan": "team"}


def test_django_goes_through_the_same_batches(worker, sdk_client, environment, monkeypatch):
    monkeypatch.setattr(live_identities, "_live", worker.identities)
    body = {"identity": {"identifier": "kim"}, "trait_key": "plan", "trait_value": "pro"}

    persisted = sdk_client.get("/api/v1/identities/?identifier=kim")
    with away():
        waiting = sdk_client.post("/api/v1/traits/", body, "json")
        known = sdk_client.get("/api/v1/identities/?identifier=kim")
        nothing_to_store = sdk_client.get("/api/v1/identities/?identifier=lee&transient=true")

    assert "X-Burgee-Persisted" not in persisted
    assert "X-Burgee-Degraded" not in persisted
    assert waiting.status_code == known.status_code == 200
    assert waiting["X-Burgee-Persisted"] == known["X-Burgee-Persisted"] == "false"
    assert known["X-Burgee-Degraded"] == "0"
    assert known.json()["traits"][0]["trait_value"] == "pro"
    assert nothing_to_store["X-Burgee-Degraded"] == "0"
    assert "X-Burgee-Persisted" not in nothing_to_store
    eventually(lambda: stored(environment) == {"plan": "pro"})


def test_an_environment_that_is_gone_is_an_unknown_key(sdk_client, environment, monkeypatch):
    monkeypatch.setattr(live_identities, "know_directly", _gone)

    response = sdk_client.get("/api/v1/identities/?identifier=kim")

    assert (response.status_code, response.json()) == (403, {"detail": "Invalid or missing Environment Key"})


def _gone(*arguments: object, **named: object) -> Knowledge:
    from sdk.identities import store_directly

    store_directly([TraitChanges(NOWHERE, "kim")])
    raise AssertionError


# --- kept in a cache --------------------------------------------------------------------------------


@pytest.fixture
def keep_traits(settings, tmp_path, monkeypatch):
    """Switch the cache on: `keep_traits(is_shared=True)`."""

    def switch_on(*, is_shared: bool) -> None:
        monkeypatch.setitem(settings.KEPT_SECONDS, "identities", 60)
        settings.SNAPSHOT_DIR = tmp_path
        backend = "filebased.FileBasedCache" if is_shared else "locmem.LocMemCache"
        settings.CACHES = {
            **settings.CACHES,
            "identities": {
                "BACKEND": f"django.core.cache.backends.{backend}",
                "LOCATION": str(tmp_path / "cache"),
            },
        }
        vars(noted_writes).pop("file", None)

    yield switch_on
    vars(noted_writes).pop("file", None)


def test_a_cache_that_is_slow_is_hardly_waited_for_and_not_asked_by_everybody(
    keep_traits, start, environment, monkeypatch
):
    keep_traits(is_shared=True)
    Identity.objects.create(environment=environment, identifier="kim", traits={"plan": "free"})
    asked, go_on = [], threading.Event()

    def find(*about: object) -> None:
        asked.append(about)
        go_on.wait(10)

    monkeypatch.setattr(kept_traits, "find", find)
    monkeypatch.setattr(live_identities, "_MOST_ASKING", 2)
    worker = start()
    try:
        began = time.monotonic()
        answers = worker.run(
            *[lambda: worker.identities.know(environment.pk, [given()], STORING, kept_as=environment.api_key)]
            * 20
        )
        taken = time.monotonic() - began
    finally:
        go_on.set()

    assert {answer.known[0].traits["plan"].value for answer in answers} == {"free"}
    assert len(asked) == 2
    assert taken < 5


@pytest.mark.parametrize("is_shared", [False, True], ids=["in this process", "in another one"])
def test_a_worker_answers_from_the_cache_until_somebody_on_the_host_writes(
    is_shared, keep_traits, start, environment
):
    keep_traits(is_shared=is_shared)
    Identity.objects.create(environment=environment, identifier="kim", traits={"plan": "free"})

    one, other = start(), start()

    def plan(worker: Worker) -> Any:
        (knowledge,) = worker.run(
            lambda: worker.identities.know(environment.pk, [given()], STORING, kept_as=environment.api_key)
        )
        return knowledge.known[0].traits["plan"].value

    assert plan(one) == "free"
    eventually(lambda: kept_traits.find((environment.pk, "kim"), environment.api_key) is not None)
    Identity.objects.update(traits={"plan": "pro"})  # as another host does
    assert [plan(one), plan(other)] == ["free"] * 2

    other.know(environment, given(plan="team"))

    assert [plan(one), plan(other)] == ["team"] * 2

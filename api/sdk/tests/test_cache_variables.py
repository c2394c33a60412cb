"""What the variables of caches come to: where things are kept, and that nobody sees old flags for it."""

from collections.abc import Callable
from functools import partial

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.caches import DATABASE, LOCAL_MEMORY, kept_for
from core.kept_bytes import KeptBytes
from documents import evaluation
from documents.tests.factories import make_feature, override_for_segment
from features.models import FeatureState
from identities.erasure import erase_identifier
from identities.kept_traits import kept_traits
from identities.models import Identity
from identities.services import remove_trait_everywhere
from identities.writes import noted_writes
from sdk.keys import KeyRefused
from sdk.snapshots import Snapshot
from sdk.store import snapshots
from sdk.tests.workers import Worker, eventually
from segments.tests.factories import make_segment

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = [0, 60]


@pytest.fixture
def switch_on(settings):
    """Have caches keep for so many seconds in local memory: `switch_on(60, "flags")`."""

    def switch(seconds: int, *aliases: str, backend: str = LOCAL_MEMORY) -> None:
        settings.CACHES = {
            **settings.CACHES,
            **{alias: kept_for(seconds, backend, f"tests-{alias}") for alias in aliases},
        }
        for alias in aliases:
            caches[alias].clear()

    snapshots.clear()
    yield switch
    snapshots.clear()


def entries_of(alias: str) -> list[str]:
    return sorted(getattr(caches[alias], "_cache", {}))


@pytest.fixture
def set_value(project, environment) -> Callable[[str], None]:
    """Change the one feature: `set_value("red")`. Servers see another one too."""
    feature = make_feature(project, "colour", value="blue")
    make_feature(project, "secret", is_server_key_only=True)
    states = FeatureState.objects.filter(feature=feature, environment=environment)
    return lambda value: states.update(type="unicode", string_value=value)


# --- flags ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("alias", ["flags", "environment-flags"])
def test_answers_of_flags_are_kept_by_revision_and_by_whom_they_are_for(
    seconds, alias, switch_on, set_value, sdk_client, server_sdk_client, monkeypatch
):
    switch_on(seconds, alias)
    clients = [sdk_client, server_sdk_client]

    answers = [client.get("/api/v1/flags/").json() for client in clients]

    assert [len(answer) for answer in answers] == [1, 2]
    assert len(entries_of(alias)) == (2 if seconds else 0)
    set_value("red")
    changed = [client.get("/api/v1/flags/").json()[0] for client in clients]
    assert [flag["feature_state_value"] for flag in changed] == ["red"] * 2
    if seconds:
        with monkeypatch.context() as patch:
            patch.setattr(Snapshot, "_encoded_flags", None)  # who does it anew fails
            snapshots.clear()  # as in a process that has just started
            assert [len(client.get("/api/v1/flags/").json()) for client in clients] == [1, 2]


# --- documents ------------------------------------------------------------------------------------


def serves(host: Worker, key: str, value: str) -> bool:
    return host.value(key, "colour") == value


@pytest.mark.parametrize("seconds", [60, None], ids=["EXPIRING", "PERSISTENT"])
def test_documents_are_shared_through_a_table_of_the_database(
    seconds, switch_on, set_value, environment, tmp_path, settings
):
    settings.CACHES = {
        **settings.CACHES,
        "environment-documents": kept_for(seconds, DATABASE, "tests-documents"),
    }
    call_command("createcachetable", verbosity=0)
    hosts = [Worker(tmp_path / name) for name in "ab"]
    try:
        for value in ("red", "green"):
            set_value(value)
            for host in hosts:
                eventually(partial(serves, host, environment.api_key, value))
        states = [host.live.state() for host in hosts]
        with connection.cursor() as cursor:
            cursor.execute("""SELECT count(*) FROM "tests-documents" WHERE cache_key LIKE '%content%'""")
            (contents,) = cursor.fetchone()
    finally:
        for host in hosts:
            host.stop()
        with connection.cursor() as cursor:
            cursor.execute('DROP TABLE "tests-documents"')

    assert sum(state["snapshots_from_cache"] for state in states) >= 1
    assert contents == (1 if seconds is None else 2)


# --- identities -----------------------------------------------------------------------------------


@pytest.fixture
def switch_on_identities(switch_on, settings, tmp_path, monkeypatch):
    def switch(seconds: int) -> None:
        switch_on(seconds, "identities")
        settings.KEPT_SECONDS = {**settings.KEPT_SECONDS, "identities": seconds}
        settings.SNAPSHOT_DIR = tmp_path
        vars(noted_writes).pop("file", None)

    yield switch
    vars(noted_writes).pop("file", None)


def other_host_writes(environment, **traits) -> None:
    """As far as this host can tell, nobody wrote."""
    Identity.objects.update_or_create(environment=environment, identifier="kim", defaults={"traits": traits})


def plan_of(client) -> str | None:
    answer = client.get("/api/v1/identities/?identifier=kim").json()
    return {trait["trait_key"]: trait["trait_value"] for trait in answer["traits"]}.get("plan")


def test_without_seconds_stored_traits_are_as_they_are(switch_on_identities, environment, sdk_client):
    switch_on_identities(0)
    other_host_writes(environment, plan="free")
    assert plan_of(sdk_client) == "free"

    other_host_writes(environment, plan="pro")

    assert plan_of(sdk_client) == "pro"


def test_with_seconds_a_get_may_use_traits_as_old_as_that_and_flags_stay_current(
    switch_on_identities, environment, project, set_value, sdk_client, server_sdk_client, identify
):
    switch_on_identities(60)
    feature = make_feature(project, "offer", enabled=False)
    override_for_segment(feature, environment, make_segment(project, country="FR"), enabled=True)
    other_host_writes(environment, plan="free", country="FR")
    assert plan_of(sdk_client) == "free"
    (entry,) = entries_of("identities")
    assert "kim" not in entry

    other_host_writes(environment, plan="pro")
    set_value("red")
    with CaptureQueriesContext(connection) as queries:
        assert plan_of(sdk_client) == "free"
        answer = server_sdk_client.get("/api/v1/identities/?identifier=kim").json()

    assert not any("INSERT INTO identities_identity" in query["sql"] for query in queries)
    flags = {flag["feature"]["name"]: flag for flag in answer["flags"]}
    assert flags["colour"]["feature_state_value"] == "red"
    assert flags["offer"]["enabled"]
    assert plan_of(sdk_client) == "free"
    assert len(identify("kim")["traits"]) == 1  # a POST asks


def test_traits_are_not_found_for_an_environment_with_the_same_id_nor_once_the_seconds_are_others(
    switch_on_identities, settings, environment, sdk_client
):
    switch_on_identities(60)
    other_host_writes(environment, plan="free")
    assert plan_of(sdk_client) == "free"
    identity = environment.pk, "kim"
    assert kept_traits.find(identity, environment.api_key) is not None

    assert kept_traits.find(identity, "of-another-database") is None  # as after a restore

    settings.KEPT_SECONDS = {**settings.KEPT_SECONDS, "identities": 30}
    assert kept_traits.find(identity, environment.api_key) is None


@pytest.mark.parametrize("write", ["traits", "everywhere", "erase", "delete"])
def test_what_this_host_wrote_is_seen_at_once(
    write, switch_on_identities, environment, project, sdk_client, identify, admin
):
    switch_on_identities(60)
    other_host_writes(environment, plan="free")
    assert plan_of(sdk_client) == "free"

    match write:
        case "traits":
            identify("kim", plan="pro")
        case "everywhere":
            remove_trait_everywhere(environment, "plan")
        case "erase":
            erase_identifier("kim", project, author=admin)
        case "delete":
            Identity.objects.get(identifier="kim").delete()

    expected = "pro" if write == "traits" else None
    assert [plan_of(sdk_client), plan_of(sdk_client)] == [expected] * 2
    assert (entries_of("identities") == []) == (write == "erase")


def test_who_deletes_one_identity_notes_that_one_once_it_is_gone(
    switch_on_identities, environment, monkeypatch
):
    switch_on_identities(60)
    kim, lee = (Identity.objects.create(environment=environment, identifier=each) for each in ("kim", "lee"))
    writes = noted_writes.file
    assert writes
    there = []

    def counting(note: Callable[..., None]) -> Callable[..., None]:
        def counted(*whom: object) -> None:
            there.append(Identity.objects.count())
            note(*whom)

        return counted

    monkeypatch.setattr(writes, "note", counting(writes.note))
    monkeypatch.setattr(writes, "note_all", counting(writes.note_all))

    kim.delete()
    since = [writes.seconds_since((environment.pk, each)) for each in ("kim", "lee")]
    Identity.objects.filter(pk=lee.pk).delete()

    assert since[0] < 60 < since[1]
    assert writes.seconds_since((environment.pk, "lee")) < 60
    assert there == [1, 0]
    assert not hasattr(Identity.objects, "delete")


# --- segments -------------------------------------------------------------------------------------


@pytest.mark.parametrize("alias", ["segments", "project-segments"])
def test_which_segments_an_identity_is_in_is_worked_out_from_what_is_kept(
    alias, switch_on, project, environment, set_value
):
    identity = Identity.objects.create(environment=environment, identifier="kim", traits={"country": "FR"})
    segment = make_segment(project, country="FR")
    switch_on(60, alias)
    secret = environment.server_side_keys.create(name="server").key
    assert evaluation.segments_of(identity.pk, project.pk) == [segment.pk]
    (name,) = entries_of(alias)
    assert secret.encode() not in (KeptBytes(alias).find(name.partition(":1:")[2]) or secret.encode())

    with CaptureQueriesContext(connection) as queries:
        assert evaluation.segments_of(identity.pk, project.pk) == [segment.pk]
        values = [served.flag.value for served in evaluation.flags_of(identity)]

    assert not any("segments_segment" in query["sql"] for query in queries)
    assert "blue" in values
    other = make_segment(project, country="FR")
    set_value("red")
    assert evaluation.segments_of(identity.pk, project.pk) == [segment.pk, other.pk]
    assert "red" in [flag.flag.value for flag in evaluation.flags_of(identity)]


# --- keys that are unknown ------------------------------------------------------------------------


def is_refused(worker: Worker, key: str) -> bool:
    try:
        worker.load(key)
    except KeyRefused:
        return True
    return False


def test_so_many_unknown_keys_are_remembered_as_the_variable_says(environment, settings, tmp_path):
    settings.MAX_UNKNOWN_KEYS = 3
    worker = Worker(tmp_path)
    try:
        eventually(lambda: worker.live.state()["feed_is_listening"] == 1)

        remembered = []
        for number in range(5):
            assert is_refused(worker, f"ser.{number}")
            remembered.append(worker.live.state()["keys_unknown"])
    finally:
        worker.stop()

    assert remembered == [1, 2, 3, 1, 2]


def test_an_unknown_key_is_asked_for_until_it_has_failed_often_enough_and_not_until_it_is_made(
    environment, settings, monkeypatch, tmp_path
):
    monkeypatch.setattr("sdk.store._UNKNOWN_SECONDS", 0.0)
    settings.CACHE_BAD_ENVIRONMENTS_SECONDS = 3600
    settings.CACHE_BAD_ENVIRONMENTS_AFTER_FAILURES = 2
    asked = []
    monkeypatch.setattr("sdk.store.find_environment", lambda key: asked.append(key))
    worker = Worker(tmp_path)
    try:
        eventually(lambda: worker.live.state()["feed_is_listening"] == 1)

        assert [is_refused(worker, "ser.new") for _ in range(5)] == [True] * 5

        assert len(asked) == 2
        monkeypatch.undo()
        environment.server_side_keys.create(name="new", key="ser.new")
        assert eventually(lambda: not is_refused(worker, "ser.new")) < 2.0
    finally:
        worker.stop()

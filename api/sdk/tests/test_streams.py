"""Streams of changes, through real connections."""

import gc
import re
import time
import weakref
from contextlib import ExitStack
from typing import Any

import pytest
from django.test import override_settings
from rest_framework.test import APIClient

from core.asgi.streamed import chunk_of
from core.tests.asgi.applications import HastyProtocol
from documents.tests.factories import make_feature, make_segment, override_for_identity, override_for_segment
from environments.models import Environment
from features.models import FeatureState
from organisations.models import Organisation
from projects.models import Project
from sdk.keys import NOT_SERVING, UNKNOWN_KEY
from sdk.streams import hub
from sdk.streams.access import SWITCHED_OFF
from sdk.tests.streaming import StreamingWorker, stream_path
from sdk.tests.workers import cut_other_connections, database_away, eventually

pytestmark = pytest.mark.django_db(transaction=True)

SHOP = ("Origin", "https://shop.example")


@pytest.fixture
def key(environment) -> str:
    return environment.api_key


@pytest.fixture
def counter(project, environment):
    """A feature whose value is a number: `counter(7)` serves 7."""
    feature = make_feature(project, "counter", value="0")
    states = FeatureState.objects.filter(feature=feature, environment=environment)
    return lambda number: states.update(type="int", integer_value=number, string_value=None)


def value_in(worker: StreamingWorker, key: str) -> Any:
    access = worker.store.get(key)
    return access and access.snapshot.compiled.evaluate(None).flags["counter"].value


def revision_in(event: bytes) -> int:
    found = re.search(rb'"revision": (\d+)}', event)
    assert found, event
    return int(found[1])


def id_in(event: bytes) -> str:
    found = re.match(rb"id: (.+)\n", event)
    assert found, event
    return found[1].decode()


# --- what is told ---------------------------------------------------------------------------------


def test_a_stream_begins_with_a_comment_and_tells_of_each_change(serve, key, counter):
    with serve().reading(stream_path(key)) as reader:
        greeting = reader.chunk()
        counter(1)
        first = reader.event()
        counter(2)
        second = reader.event()

    assert reader.status == 200
    assert greeting == b": connected\n\n"
    assert revision_in(second) == revision_in(first) + 1


@pytest.mark.parametrize(
    "change",
    [
        lambda feature, environment: feature.feature_states.update(enabled=True),
        lambda feature, environment: override_for_segment(
            feature, environment, make_segment(feature.project, "beta"), value="beta"
        ),
        lambda feature, environment: override_for_identity(feature, environment, "kim", value="own"),
        lambda feature, environment: make_feature(feature.project, "another"),
        lambda feature, environment: feature.delete(),
        lambda feature, environment: Environment.objects.update(hide_disabled_flags=True),
    ],
    ids=["flag", "segment", "identity override", "new feature", "deleted feature", "setting"],
)
def test_whatever_changes_an_answer_is_told(serve, key, environment, feature, change):
    with serve().reading(stream_path(key)) as reader:
        reader.chunk()
        change(feature, environment)

        assert reader.event()


def test_what_changes_no_flag_of_the_environment_is_not_told(serve, key, project, identify):
    other = Project.objects.create(organisation=project.organisation, name="Other")
    with serve().reading(stream_path(key)) as reader:
        identify("kim", plan="pro")
        make_feature(other, "other")

        assert reader.is_silent()


def test_of_a_burst_the_last_is_told(serve, key, counter):
    worker = serve()
    with worker.reading(stream_path(key)) as reader:
        reader.chunk()
        for number in range(1, 21):
            counter(number)
        eventually(lambda: value_in(worker, key) == 20)
        last = worker.store.get(key).snapshot.name.number
        revisions = [revision_in(reader.event())]
        while revisions[-1] < last:
            revisions.append(revision_in(reader.event()))

    assert revisions == sorted(set(revisions))


def test_after_an_event_no_worker_of_the_host_answers_with_what_was_before(serve, key, counter):
    first, second = serve(), serve()
    for worker in (first, second):
        worker.ask("/api/v1/flags/", ("X-Environment-Key", key))
    with first.reading(stream_path(key)) as reader:
        reader.chunk()
        for number in range(1, 30):
            counter(number)
            revision = revision_in(reader.event())
            answer = second.ask("/api/v1/flags/", ("X-Environment-Key", key))

            assert int(answer.header("x-burgee-revision") or 0) >= revision


def test_a_change_while_the_feed_was_cut_off_is_told_when_it_is_back(serve, key, counter):
    with serve().reading(stream_path(key)) as reader:
        reader.chunk()
        cut_other_connections()
        counter(1)

        assert reader.event()


def test_changes_are_told_though_the_environment_had_to_leave_memory(serve, key, counter, project):
    worker = serve(most_bytes=30_000)
    with worker.reading(stream_path(key)) as reader:
        reader.chunk()
        for number in range(4):
            other = Environment.objects.create(project=project, name=f"{number}")
            worker.ask("/api/v1/flags/", ("X-Environment-Key", other.api_key))
        assert worker.store.get(key) is None

        counter(1)

        assert reader.event()
        assert value_in(worker, key) == 1


def test_a_stream_keeps_no_revision_in_memory(serve, key, counter):
    worker = serve()
    with worker.reading(stream_path(key)) as reader:
        reader.chunk()
        began_with = weakref.ref(worker.store.get(key).snapshot)
        counter(1)
        reader.event()
        gc.collect()

        assert began_with() is None


# --- coming back ----------------------------------------------------------------------------------


def test_who_comes_back_is_told_at_once_what_was_missed(serve, key, counter):
    worker = serve()
    with worker.reading(stream_path(key)) as reader:
        reader.chunk()
        counter(1)
        seen = id_in(reader.event())
    counter(2)
    eventually(lambda: value_in(worker, key) == 2)

    for path, headers in [
        (stream_path(key), [("Last-Event-ID", seen)]),
        (f"{stream_path(key)}?lastEventId={seen.replace(':', '%3A')}", []),
    ]:
        with worker.reading(path, *headers) as reader:
            assert revision_in(reader.event()) == int(seen.split(":")[1]) + 1


@pytest.mark.parametrize("how", ["header", "parameter"])
def test_who_comes_back_and_has_missed_nothing_is_told_nothing(serve, key, counter, how):
    worker = serve()
    with worker.reading(stream_path(key)) as reader:
        reader.chunk()
        counter(1)
        seen = id_in(reader.event())
    path = stream_path(key) if how == "header" else f"{stream_path(key)}?lastEventId={seen}"
    headers = [("Last-Event-ID", seen)] if how == "header" else []

    with worker.reading(path, *headers) as reader:
        assert reader.is_silent()


@pytest.mark.parametrize("nonsense", ["1", "é", "x" * 5000, "0:0:0"])
def test_an_id_that_is_not_ours_counts_as_old(serve, key, nonsense):
    with serve().reading(stream_path(key), ("Last-Event-ID", nonsense)) as reader:
        assert reader.event()


# --- who is let in --------------------------------------------------------------------------------


def django_answer(path: str) -> Any:
    return APIClient().get(path, headers={"Host": "localhost"})


@pytest.mark.parametrize(
    ("given", "prepare", "status", "detail"),
    [
        ("unknown", lambda: None, 404, UNKNOWN_KEY),
        ("x" * 200, lambda: None, 404, UNKNOWN_KEY),
        ("caf%C3%A9%00", lambda: None, 404, UNKNOWN_KEY),
        ("ser.", lambda: None, 404, UNKNOWN_KEY),
        (None, lambda: Project.objects.update(enable_realtime_updates=False), 404, SWITCHED_OFF),
        (None, lambda: Organisation.objects.update(stop_serving_flags=True), 403, NOT_SERVING),
        (None, lambda: Environment.objects.get().delete(), 404, UNKNOWN_KEY),
    ],
)
def test_both_doors_refuse_alike(serve, environment, given, prepare, status, detail):
    server_key = environment.server_side_keys.create(name="server").key
    prepare()
    key = server_key if given == "ser." else given or environment.api_key
    worker = serve()

    for path in (stream_path(key), f"/api/v1/ofrep/v1/events/{key}"):
        answer, beside = worker.ask(path), django_answer(path)

        assert (answer.status, answer.json()) == (status, {"detail": detail})
        assert (beside.status_code, beside.json()) == (status, {"detail": detail})
        ours = {name: value for name, value in answer.headers if name not in {"date", "content-length"}}
        of_one = {"content-length", "x-request-id"}
        theirs = {name.lower(): value for name, value in beside.items() if name.lower() not in of_one}
        assert ours == theirs


def test_django_alone_says_that_streams_need_the_server(environment, key):
    for path in (stream_path(key), f"/api/v1{stream_path(key)}", f"/ofrep/v1/events/{key}"):
        response = APIClient().get(path, headers={"Accept": "text/event-stream"})

        assert response.status_code == 501
        assert "make run" in response.json()["detail"]


def test_a_key_that_nobody_can_check_is_asked_to_come_again(serve, key):
    worker = serve()

    with database_away():
        answer = worker.ask(stream_path("unknown"))

    assert answer.status == 503
    assert int(answer.header("retry-after") or 0) > 0


def test_a_known_environment_streams_though_the_database_is_away(serve, key):
    worker = serve()
    worker.ask("/api/v1/flags/", ("X-Environment-Key", key))

    with database_away(), worker.reading(stream_path(key)) as reader:
        assert reader.status == 200


HEADERS = [
    [],
    [("Accept", "text/html")],
    [("Accept", "application/xml;q=0.1")],
    [("Accept", "text/event-stream"), ("Accept", "application/json")],
    [("Accept-Encoding", "gzip, br")],
    [("Cookie", "sessionid=abc; theme=dark")],
    [("Content-Type", "application/json"), ("Content-Length", "0")],
    [("Authorization", "Token nonsense"), ("X-Environment-Key", "another")],
    [("Connection", "keep-alive"), ("Cache-Control", "no-cache")],
]


@pytest.mark.parametrize("path", ["/sse/environments/{}/stream", "/api/v1/sse/environments/{}/stream/"])
def test_whatever_the_headers_it_is_a_stream(serve, key, counter, path):
    worker = serve()
    for number, headers in enumerate(HEADERS, 1):
        with worker.reading(path.format(key), *headers) as reader:
            reader.chunk()
            counter(number)

            assert reader.event(), headers
        assert reader.status == 200, headers
        assert reader.headers["content-type"] == "text/event-stream"
        assert reader.headers["transfer-encoding"] == "chunked"
        assert reader.headers["cache-control"] == "no-cache"
        assert reader.headers["x-accel-buffering"] == "no"
        assert not {"content-encoding", "expires", "pragma", "content-length"} & reader.headers.keys()


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({}, "*"),
        ({"CORS_ALLOW_ALL_ORIGINS": False, "CORS_ALLOWED_ORIGINS": [SHOP[1]]}, SHOP[1]),
        ({"CORS_ALLOW_ALL_ORIGINS": False, "CORS_ALLOWED_ORIGINS": ["https://other.example"]}, None),
    ],
)
def test_browsers_of_the_origins_that_read_flags_read_streams(serve, key, settings, allowed):
    with override_settings(**settings), serve().reading(stream_path(key), SHOP) as reader:
        assert reader.status == 200
        assert reader.headers.get("access-control-allow-origin") == allowed


def test_a_host_that_is_not_served_has_no_streams(serve, key):
    with override_settings(ALLOWED_HOSTS=["flags.example"]):
        assert serve().ask(stream_path(key)).status == 400


def test_a_preflight_passes(serve, key):
    answer = serve().ask(
        stream_path(key),
        SHOP,
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "cache-control, last-event-id"),
        method="OPTIONS",
    )

    assert answer.status in {200, 204}
    assert answer.header("access-control-allow-origin") == "*"
    assert "last-event-id" in (answer.header("access-control-allow-headers") or "")


def test_head_is_answered_and_ends_and_other_methods_are_refused(serve, key):
    worker = serve()

    head, post = (worker.ask(stream_path(key), method=method) for method in ("HEAD", "POST"))

    assert (head.status, head.header("content-type")) == (200, "text/event-stream")
    assert post.status == 405
    assert worker.streams.state()["streams"] == 0


# --- the end --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda: Project.objects.update(enable_realtime_updates=False),
        lambda: Environment.objects.update(api_key="another"),
        lambda: Organisation.objects.update(stop_serving_flags=True),
        lambda: Environment.objects.get().delete(),
        lambda: Project.objects.get().delete(),
    ],
    ids=["switched off", "another key", "stopped", "environment deleted", "project deleted"],
)
def test_a_stream_ends_with_what_opened_it(serve, key, change):
    worker = serve()
    with worker.reading(stream_path(key)) as reader:
        reader.chunk()
        change()

        assert reader.chunk() == b""
    eventually(lambda: worker.streams.state()["streams"] == 0)
    assert worker.ask(stream_path(key)).status in {403, 404}


def test_streams_end_at_once_with_the_process(serve, key, tmp_path):
    worker = serve()
    begin = time.monotonic()
    with ExitStack() as connections:
        readers = [connections.enter_context(worker.reading(stream_path(key))) for _ in range(3)]
        for reader in readers:
            reader.chunk()
        worker.leave()

        assert all(re.fullmatch(rb"retry: \d{3,4}\n\n", reader.chunk()) for reader in readers)
        assert [reader.chunk() for reader in readers] == [b""] * 3
    assert time.monotonic() - begin < 5.0


def test_a_change_while_the_process_ends_keeps_no_stream_open(serve, key, counter, monkeypatch):
    worker = serve()
    told_to_end = hub.Streams._gone

    def with_a_change(streams: hub.Streams, environment_id: int) -> None:
        told_to_end(streams, environment_id)
        streams._changed(first)

    monkeypatch.setattr(hub.Streams, "_gone", with_a_change)
    with worker.reading(stream_path(key)) as reader:
        reader.chunk()
        first = worker.store.get(key).snapshot
        counter(1)
        reader.event()
        worker.leave()

        assert reader.chunk().startswith(b"retry: ")
        assert reader.chunk() == b""


def test_who_leaves_is_forgotten(serve, key):
    worker = serve()
    with worker.reading(stream_path(key)) as reader:
        reader.chunk()
        assert worker.streams.state()["streams"] == 1

    eventually(lambda: worker.streams.state()["streams"] == 0)
    worker.store.clear()
    assert worker.store.names() == {}  # nothing is watched any more


# --- bounds ---------------------------------------------------------------------------------------


def test_above_the_limit_readers_are_asked_to_come_again(serve, key):
    worker = serve(most=2)
    with worker.reading(stream_path(key)), worker.reading(f"/ofrep/v1/events/{key}"):
        eventually(lambda: worker.streams.state()["streams"] == 2)
        answer = worker.ask(stream_path(key))

    assert answer.status == 503
    assert int(answer.header("retry-after") or 0) > 0
    assert worker.streams.state()["streams_refused"] == 1
    eventually(lambda: worker.streams.state()["streams"] == 0)
    with worker.reading(stream_path(key)) as reader:
        assert reader.status == 200


def test_idle_streams_are_kept_alive_by_comments(serve, key, monkeypatch):
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 0.05)
    with serve().reading(stream_path(key)) as reader:
        assert [reader.chunk() for _ in range(4)] == [b": connected\n\n"] + [b": keepalive\n\n"] * 3


def test_a_heartbeat_comes_in_time_for_proxies():
    # A stream that is opened while a round is under way waits for the next but one.
    assert 15.0 <= 2 * hub.HEARTBEAT_SECONDS <= 30.0


def test_no_deadline_of_the_server_ends_an_idle_stream(serve, key, counter, monkeypatch):
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 3600.0)
    with serve(protocol=HastyProtocol).reading(stream_path(key)) as reader:
        reader.chunk()
        time.sleep(2.5)  # far more than that protocol allows for anything
        counter(1)

        assert reader.event()


def test_a_reader_who_does_not_read_is_cut_off_and_holds_up_nobody(serve, key, counter, monkeypatch):
    monkeypatch.setattr(hub, "HEARTBEAT", chunk_of(b":" + b"x" * 500_000 + b"\n\n"))
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 0.02)
    worker = serve()
    with worker.reading(stream_path(key), receive_bytes=4096), worker.reading(stream_path(key)) as reader:
        while not worker.streams.state()["streams_dropped"]:
            assert reader.chunk().startswith(b":")
        counter(1)

        assert reader.event()
        assert worker.streams.state()["streams"] == 1


def test_of_many_streams_each_is_told(serve, key, counter):
    number = 5 * hub.STEP + 7
    worker = serve()
    with ExitStack() as connections:
        readers = [connections.enter_context(worker.reading(stream_path(key))) for _ in range(number)]
        for reader in readers:
            reader.chunk()
        counter(1)

        assert len({reader.event() for reader in readers}) == 1

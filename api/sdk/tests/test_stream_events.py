"""What streams carry, held against what each SDK's parser makes of it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.test import override_settings
from rest_framework.test import APIClient

from core.asgi.streamed import chunk_of
from sdk.store import snapshots
from sdk.streams.events import GREETING, HEARTBEAT, for_ofrep, for_sdks
from sdk.streams.paths import event_stream_path
from sdk.tests.streaming import stream_path

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)

FLAGS, DOCUMENT = "/api/v1/flags/", "/api/v1/environment-document/"


@pytest.fixture
def snapshot(environment, feature):
    return snapshots.current(environment.pk)


def text_in(chunk: bytes) -> str:
    size, _, rest = chunk.partition(b"\r\n")
    assert rest.endswith(b"\r\n")
    assert len(rest) == int(size, 16) + 2
    return rest[:-2].decode()


def data_of(line: str) -> Mapping[str, object]:
    return dict(json.loads(line.removeprefix("data: ")))


# What single SDKs rely on, as functions of an event's lines.
PARSERS: dict[str, Callable[[list[str]], bool]] = {
    "an event's name": lambda lines: lines.count("event: environment_updated") == 1,
    "exactly one space behind `data:`": lambda lines: (
        [line for line in lines if line.startswith("data")]
        == [line for line in lines if re.match(r"data: \S", line)]
    ),
    "each data line is an object with updated_at": lambda lines: all(
        isinstance(data_of(line)["updated_at"], float) for line in lines if line.startswith("data:")
    ),
    "one data line": lambda lines: sum(line.startswith("data:") for line in lines) == 1,
    "a decimal point": lambda lines: any(re.search(r'"updated_at": \d+\.\d+[,}]', line) for line in lines),
    "seconds": lambda lines: all(
        1e9 < float(str(data_of(line)["updated_at"])) < 1e10 for line in lines if line.startswith("data:")
    ),
    "a blank line at its end": lambda lines: lines[-2:] == ["", ""] and lines.count("") == 2,
    "no line that isn't a field": lambda lines: all(
        re.match(r"(id|event|data): \S", line) for line in lines if line
    ),
    "no carriage return": lambda lines: not any("\r" in line for line in lines),
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("updated_at", [None, datetime(2026, 2, 1, 12, tzinfo=UTC)])
def test_quirk_27_every_parser_reads_the_event(snapshot, parser, updated_at):
    if updated_at:  # a whole second
        snapshot = replace(snapshot, revision=replace(snapshot.revision, updated_at=updated_at))

    assert PARSERS[parser](text_in(for_sdks(snapshot)).split("\n"))


def test_the_event_to_the_byte(snapshot):
    snapshot = replace(
        snapshot,
        revision=replace(snapshot.revision, updated_at=datetime.fromtimestamp(1769940000.123456, UTC)),
    )
    name = snapshot.name

    assert text_in(for_sdks(snapshot)) == (
        f"id: {name.environment_id}:{name.number}:{name.nonce}\n"
        "event: environment_updated\n"
        f'data: {{"updated_at": 1769940000.123456, "revision": {name.number}}}\n\n'
    )
    assert text_in(for_ofrep(snapshot)) == (
        f"id: {name.environment_id}:{name.number}:{name.nonce}\n"
        "event: message\n"
        'data: {"type":"refetchEvaluation","lastModified":1769940000}\n\n'
    )


def test_a_whole_second_has_a_decimal_point(snapshot):
    revision = replace(snapshot.revision, updated_at=datetime.fromtimestamp(1769940000, UTC))

    assert '{"updated_at": 1769940000.0, ' in text_in(for_sdks(replace(snapshot, revision=revision)))


@pytest.mark.parametrize("comment", [GREETING, HEARTBEAT])
def test_what_keeps_a_stream_alive_is_a_comment(comment):
    assert re.fullmatch(r": \w+\n\n", text_in(comment))


def test_a_chunk_says_its_length():
    assert chunk_of(b"x" * 17) == b"11\r\n" + b"x" * 17 + b"\r\n"


@committed
def test_quirk_26_the_event_has_the_updated_at_of_the_next_answers(serve, environment, feature):
    environment_key, server_key = environment.api_key, environment.server_side_keys.create(name="server").key
    worker = serve()
    with worker.reading(stream_path(environment_key)) as reader:
        reader.chunk()
        feature.feature_states.update(enabled=True)
        event = reader.event().decode()
        flags = worker.ask(FLAGS, ("X-Environment-Key", environment_key))
        document = worker.ask(DOCUMENT, ("X-Environment-Key", server_key))

    found = re.search(r'"updated_at": ([\d.]+), "revision": (\d+)}', event)
    assert found
    assert found[1] == flags.header("x-flagsmith-document-updated-at")
    assert found[1] == document.header("x-flagsmith-document-updated-at")
    assert found[1] == str(datetime.fromisoformat(document.json()["updated_at"]).timestamp())
    assert found[2] == flags.header("x-burgee-revision")


@committed
def test_quirk_27_no_slash_no_key_in_a_header_no_negotiation(serve, environment):
    with serve().reading(stream_path(environment.api_key), ("Accept", "image/png")) as reader:
        assert reader.status == 200
        assert not stream_path(environment.api_key).endswith("/")


@committed
def test_quirk_35_two_streams_that_share_no_event(serve, environment, feature, snapshot):
    worker = serve()
    with (
        worker.reading(stream_path(environment.api_key)) as sdk,
        worker.reading(event_stream_path(snapshot)) as ofrep,
    ):
        for reader in (sdk, ofrep):
            reader.chunk()
        feature.feature_states.update(enabled=True)
        to_sdk, to_ofrep = sdk.event(), ofrep.event()

    assert b"event: environment_updated\n" in to_sdk
    assert b"refetchEvaluation" not in to_sdk
    assert b"event: message\n" in to_ofrep
    assert b"environment_updated" not in to_ofrep
    assert to_sdk.splitlines()[0] == to_ofrep.splitlines()[0]  # of the same revision


def test_the_path_of_the_ofrep_stream_has_the_key_that_anyone_may_see(environment, server_sdk_client):
    environment.api_key = "a/b ü"
    environment.save()

    assert event_stream_path(snapshots.current(environment.pk)) == "/ofrep/v1/events/a%2Fb%20%C3%BC"


def test_a_preflight_of_django_alone_passes(environment):
    with override_settings(CORS_ALLOW_ALL_ORIGINS=True):
        response = APIClient().options(
            stream_path(environment.api_key),
            headers={
                "Origin": "https://shop.example",
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "last-event-id",
            },
        )

    assert response.status_code == 200
    assert "last-event-id" in response["Access-Control-Allow-Headers"]

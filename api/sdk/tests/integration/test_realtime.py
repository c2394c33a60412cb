"""The official SDKs with realtime updates on, against the server that `make run` starts."""

import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flagsmith import Flagsmith

from core.tests.asgi.servers import gunicorn
from core.tests.asgi.wire import connected, request
from core.tests.programs import program
from features.models import FeatureState
from sdk.tests.integration.conftest import environment_of_server
from sdk.tests.streaming import Reader, stream_path

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # the server is another process

_PROGRAM = Path(__file__).with_name("browser_client.mjs")
_PATIENCE_SECONDS = 20.0


class Browser:
    """The JavaScript SDK in a process, and what it tells."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        kinds = ("open", "event", "answer", "flags")
        self._told: dict[str, queue.Queue[Any]] = {kind: queue.Queue() for kind in kinds}
        threading.Thread(target=self._read, args=[process.stdout], daemon=True).start()

    def told(self, kind: str) -> Any:
        """Return the next of this kind."""
        return self._told[kind].get(timeout=_PATIENCE_SECONDS)

    def _read(self, lines: Any) -> None:
        for line in lines:
            for kind, what in json.loads(line).items():
                self._told[kind].put(what)


@contextmanager
def browser(packages: Path, url: str, key: str) -> Iterator[Browser]:
    root = url.removesuffix("api/v1/")
    process = subprocess.Popen(
        [program("node"), str(_PROGRAM), str(packages), url, root, key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Browser(process)
    finally:
        assert process.stdin
        process.stdin.close()
        assert process.wait(_PATIENCE_SECONDS) == 0


def serve_text(value: str) -> None:
    FeatureState.objects.filter(feature__name="text").update(string_value=value)


def test_the_javascript_sdk_has_a_change_at_once_and_event_and_answer_agree(node_packages, server, shop):
    with browser(node_packages, server, shop.client_key) as sdk:
        assert sdk.told("flags")["text"] == [True, "hello"]
        assert sdk.told("answer")
        assert sdk.told("open")
        for value in ("one", "two", "three"):
            serve_text(value)

            event = json.loads(sdk.told("event"), parse_float=str)
            assert sdk.told("answer") == event["updated_at"]
            assert sdk.told("flags")["text"] == [True, value]


def test_the_python_sdk_has_a_change_at_once(server, shop):
    sdk = Flagsmith(
        api_url=server,
        environment_key=shop.server_key,
        enable_local_evaluation=True,
        enable_realtime_updates=True,
        realtime_api_url=server.removesuffix("api/v1/"),
    )
    try:
        text = lambda: sdk.get_environment_flags().get_feature_value("text")  # noqa: E731
        assert eventually_is("hello", text)
        # The SDK doesn't say when it listens: what changes before that it hears of with the next change.
        deadline, number = time.monotonic() + _PATIENCE_SECONDS, 0
        while text() == "hello" and time.monotonic() < deadline:
            number += 1
            serve_text(f"change {number}")
            time.sleep(0.3)
        serve_text("last")

        assert eventually_is("last", text)
    finally:
        sdk.event_stream_thread.stop()


def test_a_worker_that_is_told_to_end_ends_its_streams_and_itself(shop, tmp_path):
    environment = environment_of_server(tmp_path / "snapshots")
    with (
        gunicorn(tmp_path / "log", "app.asgi:application", **environment) as server,
        connected(server.address) as connection,
    ):
        connection.send(request(target=stream_path(shop.client_key)))
        reader = Reader(connection)
        reader.chunk()
        begin = time.monotonic()
        server.tell(signal.SIGTERM)

        assert reader.chunk().startswith(b"retry: "), "when to come again"
        assert reader.chunk() == b""
        assert server.process.wait(_PATIENCE_SECONDS) == 0
        assert time.monotonic() - begin < 10
    assert "Traceback" not in server.log


def eventually_is(expected: str, read: Callable[[], Any]) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while read() != expected:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True

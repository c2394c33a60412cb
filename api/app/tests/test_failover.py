"""The primary dies under load and its standby takes over: reads go on, and nothing acknowledged is lost.

The standby is synchronous, so the primary acknowledges nothing that the standby hasn't written. The server is
given both addresses and goes to whichever writes. `make walks` does it several times, there and back.
"""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from rest_framework.authtoken.models import Token

from app.tests.standby import Copy, server_of_tests, url_of
from core.tests.asgi.servers import Gunicorn, gunicorn, wait_until
from core.tests.thoroughness import EVERYTHING
from features.models import FeatureState

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 6 if EVERYTHING else 1
READERS, WRITERS = (4, 4) if EVERYTHING else (2, 2)
# How much is acknowledged before the primary dies, and again after.
ACKNOWLEDGED = 30 if EVERYTHING else 4
# Between two requests of a client: without, this would have all of the machine.
PAUSE_SECONDS = 0.001 if EVERYTHING else 0.01
SYNCHRONOUS = "synchronous_standby_names = '*'"


class Client:
    """Asks a server again and again over one connection, from a thread of its own."""

    def __init__(self, server: Gunicorn, **headers: str) -> None:
        self._server = server
        self._headers = {"Content-Type": "application/json", **headers}
        self._connection: HTTPConnection | None = None
        self.slowest_seconds = 0.0

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and content; a status of 0 where there was no answer."""
        connection = self._connection or HTTPConnection(*self._server.address, timeout=10)
        began = time.monotonic()
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, self._headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            connection.close()
            self._connection = None
            return 0, {}, None
        self._connection = None if response.will_close else connection
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, json.loads(content or "null")


class Load:
    """Reads flags, identifies people, makes tags and changes a feature, until it is stopped.

    Attributes:
        wrong: what no client may see.
        tags, people, value: what was acknowledged, of the values the last.
    """

    def __init__(self, server: Gunicorn, *, key: str, token: str, project_id: int, state_path: str) -> None:
        self.wrong: list[str] = []
        self.tags: list[str] = []
        self.people: list[str] = []
        self.value = 0
        self.reads = 0
        self._stop = threading.Event()
        self.readers = [Client(server, **{"X-Environment-Key": key}) for _ in range(READERS)]
        signed_in = {"Authorization": f"Token {token}"}
        works = [(self._read, each) for each in self.readers]
        works += [(self._identify, Client(server, **{"X-Environment-Key": key}))]
        works += [(self._make_tags, Client(server, **signed_in)) for _ in range(WRITERS - 1)]
        works += [(self._set_value, Client(server, **signed_in))]
        self._tags_path, self._state_path = f"/api/v1/projects/{project_id}/tags/", state_path
        self._threads = [
            threading.Thread(target=self._repeat, args=[work, client, number])
            for number, (work, client) in enumerate(works)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def go_on(self) -> None:
        """Wait until more of everything is acknowledged."""
        tags, people, value = len(self.tags), len(self.people), self.value
        wait_until(
            lambda: (
                len(self.tags) > tags + ACKNOWLEDGED
                and len(self.people) > people + ACKNOWLEDGED
                and self.value > value + ACKNOWLEDGED
            ),
            lambda: f"{len(self.tags)} {len(self.people)} {self.value} {self.wrong}",
        )

    def _repeat(self, work: Any, client: Client, thread: int) -> None:
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            work(client, thread, number)

    def _read(self, client: Client, thread: int, number: int) -> None:
        before = getattr(client, "seen", 0)
        status, _, flags = client.ask("GET", "/api/v1/flags/")
        seen = flags[0]["feature_state_value"] if status == 200 else None
        if seen is None or seen < before:
            self.wrong.append(f"read {status}: {seen} after {before}")
        else:
            client.seen = seen  # type: ignore[attr-defined]
            self.reads += 1

    def _identify(self, client: Client, thread: int, number: int) -> None:
        name = f"{thread} {number}"
        traits = [{"trait_key": "number", "trait_value": number}]
        body = {"identifier": name, "traits": traits}
        status, headers, _ = client.ask("POST", "/api/v1/identities/", body)
        if status != 200:
            self.wrong.append(f"identified {status}")
        elif headers.get("x-burgee-persisted") != "false":
            self.people.append(name)

    def _make_tags(self, client: Client, thread: int, number: int) -> None:
        label = f"{thread} {number}"
        status, _, _ = client.ask("POST", self._tags_path, {"label": label, "color": "#fff"})
        if status == 201:
            self.tags.append(label)

    def _set_value(self, client: Client, thread: int, number: int) -> None:
        body = {"enabled": True, "feature_state_value": number}
        status, _, _ = client.ask("PUT", self._state_path, body)
        if status == 200:
            self.value = number


@pytest.fixture
def pair(environment, feature, admin, tmp_path) -> Iterator[list[Copy]]:
    """A primary with what the tests' server has, and a standby that can take over."""
    FeatureState.objects.update(type="int", integer_value=0, string_value=None)
    Token.objects.create(user=admin)
    primary = Copy(tmp_path / "one", server_of_tests(), follows=False)
    servers = [primary, Copy(tmp_path / "other", primary.address, follows=True)]
    yield servers
    for each in servers:
        each.stop()


def wait_for_each_other(primary: Copy) -> None:
    """Have a primary acknowledge only what its standby has written."""
    primary.run(f"ALTER SYSTEM SET {SYNCHRONOUS}")
    primary.run("SELECT pg_reload_conf()")
    wait_until(lambda: primary.run("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1)


def fail_over(load: Load, servers: list[Copy]) -> float:
    """Kill the first, promote the second, and return for how long nothing was acknowledged."""
    primary, standby = servers
    load.go_on()
    primary.kill()
    killed_at = time.monotonic()
    reads = load.reads
    wait_until(lambda: load.reads > reads + READERS * 10)
    standby.promote()
    known = load.value
    wait_until(lambda: load.value > known)
    seconds = time.monotonic() - killed_at
    load.go_on()
    return seconds


def test_reads_survive_the_primary_and_nothing_acknowledged_is_lost(
    pair, environment, feature, admin, tmp_path
):
    state = FeatureState.objects.get(environment=environment, feature=feature)
    with gunicorn(
        tmp_path / "log",
        *("--config", "python:app.gunicorn", "app.asgi"),
        DATABASE_URL=url_of(*pair),
        DJANGO_SETTINGS_MODULE="app.settings.test",
        SNAPSHOT_DIR=str(tmp_path / "snapshots"),
        GUNICORN_WORKERS="2" if EVERYTHING else "1",
        GUNICORN_THREADS="4",
    ) as server:
        first = Client(server, **{"X-Environment-Key": environment.api_key})
        wait_until(lambda: first.ask("GET", "/api/v1/flags/")[0] == 200, lambda: server.log)
        wait_for_each_other(pair[0])
        load = Load(
            server,
            key=environment.api_key,
            token=admin.auth_token.key,
            project_id=environment.project_id,
            state_path=f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/",
        )
        outages = []
        try:
            for number in range(ROUNDS):
                if number:
                    wait_for_each_other(pair[0])
                outages.append(fail_over(load, pair))
                assert load.wrong == [], server.log
                if number + 1 < ROUNDS:
                    pair.reverse()
                    pair[1] = followed_anew(pair[1], pair[0], tmp_path, number)
        finally:
            load.stop()

    survivor = pair[1]
    tags = survivor.run("SELECT array_agg(label) FROM projects_tag")
    people = survivor.run("SELECT array_agg(identifier) FROM identities_identity WHERE traits ? 'number'")
    value = survivor.run("SELECT integer_value FROM features_featurestate")
    assert set(load.tags) <= set(tags)
    assert set(load.people) <= set(people)
    assert value >= load.value
    print(  # noqa: T201  # seen with -s
        f"{ROUNDS} failovers: nothing acknowledged for {max(outages):.1f} s at most; {load.reads} reads, the"
        f" slowest in {max(each.slowest_seconds for each in load.readers):.2f} s;"
        f" {len(load.tags)} tags, {load.value} changes and {len(load.people)} people acknowledged, none lost"
    )


def followed_anew(dead: Copy, primary: Copy, folder: Path, number: int) -> Copy:
    """Put a standby of the new primary where the dead server was."""
    dead.stop()
    place = folder / ("one" if number % 2 == 0 else "other")
    shutil.rmtree(place, ignore_errors=True)
    return Copy(place, primary.address, follows=True)

"""Two workers of the real server with a database of their own: what holds when that goes away, and after."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from analytics.models import Resource
from app.tests.databases import OwnDatabase
from app.tests.traffic import LABEL, Traffic
from core.tests.asgi.servers import Gunicorn, gunicorn, wait_until
from core.tests.asgi.wire import Answer, connected, request

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = pytest.mark.no_cover

API = "/api/v1"
KINDS = ("flags", "identities", "writes")
FILL = """
import django, json
django.setup()
from django.core.management import call_command
from app.tests.world import build_world
call_command("migrate", verbosity=0)
world = build_world("acme")
print(json.dumps({
    "client": world.environment.api_key,
    "server": world.server_key.key,
    "token": world.token,
    "state": world.state.pk,
}))
"""


class Burgee:
    """A server that runs, and what is in its database."""

    def __init__(self, server: Gunicorn, database: OwnDatabase, content: dict[str, Any]) -> None:
        self.server = server
        self.database = database
        self.content = content
        self.client_key: str = content["client"]
        self.server_key: str = content["server"]
        self._token: str = content["token"]
        self._state: int = content["state"]

    def ask(self, path: str, key: str, **headers: str) -> Answer:
        """Ask over a connection of its own, which either worker may take."""
        listed = [(name.replace("_", "-"), value) for name, value in headers.items()]
        with connected(self.server.address) as connection:
            return connection.ask(
                request(target=f"{API}/{path}", headers=[("X-Environment-Key", key), *listed])
            )

    def manage(self, method: str, path: str, content: Any = None) -> Answer:
        """Ask as an administrator."""
        headers = [("Authorization", f"Token {self._token}"), ("Content-Type", "application/json")]
        body = b"" if content is None else json.dumps(content).encode()
        with connected(self.server.address) as connection:
            return connection.ask(request(method, f"{API}/{path}", headers, body))

    def serve(self, value: str) -> str:
        """Let the feature have a value, and return the revision that has it."""
        path = f"environments/{self.client_key}/featurestates/{self._state}/"
        answer = self.manage("PUT", path, {"feature_state_value": value})
        assert answer.status == 200, answer
        return answer.header("x-burgee-revision") or ""

    def value(self, **headers: str) -> Any:
        """Return what the feature serves; a worker that is too slow for what is wanted is asked again."""
        while (answer := self.ask("flags/?feature=acme_feature", self.client_key, **headers)).status == 503:
            assert answer.header("retry-after")
        assert answer.status == 200, answer
        return answer.json()["feature_state_value"]

    def all_workers(self, question) -> list[Any]:
        """Return the answers to a question that is put often enough for both workers to be asked."""
        return [question() for _ in range(20)]

    @contextmanager
    def asking(self) -> Iterator[list[Answer]]:
        """Read without a pause, each answer noted, until the block ends."""
        answers: list[Answer] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                answers.append(self.ask("flags/", self.client_key))
                answers.append(self.ask("environment-document/", self.server_key))
                answers.append(self.ask("identities/?identifier=kim", self.client_key))
                time.sleep(0.005)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            yield answers
        finally:
            done.set()
            for thread in threads:
                thread.join()


@contextmanager
def two_workers(
    folder: Path,
    database_url: str,
    snapshots: str = "snapshots",
    code: Path | str = settings.API_DIR,
    **environment: str,
) -> Iterator[Gunicorn]:
    with gunicorn(
        folder / f"log {time.monotonic()}",
        *("--config", "python:app.gunicorn", "app.asgi"),
        DJANGO_SETTINGS_MODULE="app.settings.production",
        DJANGO_SECRET_KEY="what signs the snapshots that the next start reads, fifty characters long",
        DJANGO_ALLOWED_HOSTS="localhost",
        DATABASE_URL=database_url,
        SNAPSHOT_DIR=str(folder / snapshots),
        GUNICORN_WORKERS="2",
        code=code,
        **environment,
    ) as server:
        yield server


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL reaches, whoever it runs as."""
    with tempfile.TemporaryDirectory(prefix="burgee-test-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def database(folder) -> Iterator[OwnDatabase]:
    database = OwnDatabase(folder)
    yield database
    database.stop()


@pytest.fixture(scope="module")
def burgee(folder, database) -> Iterator[Burgee]:
    environment = {**os.environ, "DATABASE_URL": database.url, "DJANGO_SETTINGS_MODULE": "app.settings.test"}
    filled = subprocess.run(
        [sys.executable, "-c", FILL], cwd=settings.API_DIR, env=environment, capture_output=True, text=True
    )
    assert filled.returncode == 0, filled.stderr
    with two_workers(folder, database.url) as server:
        yield Burgee(server, database, json.loads(filled.stdout))


@pytest.mark.parametrize("outage", ["killed", "frozen", "cut_off"])
def test_no_warm_read_fails_while_the_database_is_away(burgee, outage):
    burgee.all_workers(burgee.value)

    with burgee.asking() as answers:
        with getattr(burgee.database, outage)():
            unknown = [burgee.ask("flags/", f"unknown-{outage}-at-once")]
            wait_until(lambda: answers[-1].header("x-burgee-degraded"))
            unknown.append(burgee.ask("flags/", f"unknown-{outage}"))
            managed = burgee.manage("GET", "projects/") if outage == "killed" else None
            asked = len(answers)
            wait_until(lambda: len(answers) > asked + 50)
        wait_until(lambda: not any(answer.header("x-burgee-degraded") for answer in answers[-20:]))

    assert {answer.status for answer in answers} == {200}
    # Nobody can say that it is unknown.
    assert [(answer.status, answer.header("retry-after")) for answer in unknown] == [(503, "1")] * 2
    if managed:
        assert (managed.status, managed.header("retry-after")) == (503, "1")
    revision = burgee.serve(f"after it was {outage}")
    seen = burgee.all_workers(lambda: burgee.value(X_Burgee_Min_Revision=revision))
    assert set(seen) == {f"after it was {outage}"}


def test_a_start_without_the_database_serves_what_the_host_knows(burgee, folder):
    served = burgee.value()
    with (
        burgee.database.killed(),
        two_workers(folder, burgee.database.url) as server,
        two_workers(folder, burgee.database.url, "empty") as stranger,
    ):
        started = Burgee(server, burgee.database, burgee.content)
        knows_nothing = Burgee(stranger, burgee.database, burgee.content)

        answers = started.all_workers(lambda: started.ask("flags/", burgee.client_key))
        documents = started.all_workers(lambda: started.ask("environment-document/", burgee.server_key))
        wait_until(lambda: started.ask("flags/", burgee.client_key).header("x-burgee-degraded"))
        unknown = [
            started.ask("flags/", "unknown"),
            *knows_nothing.all_workers(lambda: knows_nothing.ask("flags/", burgee.client_key)),
        ]

    assert {answer.status for answer in [*answers, *documents]} == {200}
    assert {(answer.status, answer.header("retry-after")) for answer in unknown} == {(503, "1")}
    wait_until(
        lambda: (
            burgee.value() == served
            and not burgee.ask("flags/", burgee.client_key).header("x-burgee-degraded")
        )
    )


def test_who_changes_something_reads_it_from_every_worker(burgee):
    for number in range(30):
        revision = burgee.serve(f"value {number}")

        seen = {burgee.value(X_Burgee_Min_Revision=revision) for _ in range(4)}

        assert seen == {f"value {number}"}


def test_writers_at_the_same_time_are_told_of_a_revision_each(burgee):
    revisions: list[int] = []

    def write(writer: int) -> None:
        revisions.extend(int(burgee.serve(f"{writer} {number}")) for number in range(10))

    before = int(burgee.serve("before"))
    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert sorted(revisions) == list(range(before + 1, before + 41))


def test_keys_come_and_go_on_every_worker(burgee):
    keys = f"environments/{burgee.client_key}/api-keys/"

    def statuses(key: str) -> set[int]:
        return {answer.status for answer in burgee.all_workers(lambda: burgee.ask("flags/", key))}

    made = burgee.manage("POST", keys, {"name": "new"}).json()
    wait_until(lambda: statuses(made["key"]) == {200})
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    burgee.manage("PATCH", f"{keys}{made['id']}/", {"expires_at": soon})
    wait_until(lambda: statuses(made["key"]) == {403})
    burgee.manage("PATCH", f"{keys}{made['id']}/", {"expires_at": None})
    wait_until(lambda: statuses(made["key"]) == {200})
    burgee.manage("DELETE", f"{keys}{made['id']}/")
    wait_until(lambda: statuses(made["key"]) == {403})


def test_no_request_is_lost_while_workers_and_servers_are_replaced(burgee, folder):
    """Workers by SIGHUP, then the server by one that takes over its port, then the end of that one."""
    pid = folder / "pid"
    state = f"/api/v1/environments/{burgee.client_key}/featurestates/{burgee.content['state']}/"
    with (
        two_workers(
            folder, burgee.database.url, GUNICORN_CMD_ARGS=f"--pid={pid}", SHUTDOWN_DELAY_SECONDS="2"
        ) as server,
        Traffic(
            server.address,
            client_key=burgee.client_key,
            token=burgee.content["token"],
            write=(state, lambda number: {"feature_state_value": f"value {number}"}),
        ) as traffic,
    ):

        def goes_on() -> None:
            before = traffic.answered.copy()
            wait_until(lambda: all(traffic.answered[kind] > before[kind] + 3 for kind in KINDS))

        goes_on()
        old = server.workers()
        server.tell(signal.SIGHUP)
        wait_until(lambda: len(now := server.workers()) == 2 and not now & old)
        goes_on()

        server.tell(signal.SIGUSR2)
        wait_until(lambda: (folder / "pid.2").exists(), lambda: server.log)
        successor = psutil.Process(int((folder / "pid.2").read_text()))
        try:
            wait_until(lambda: len(successor.children()) == 2, lambda: server.log)
            wait_until(lambda: server.log.count("Application startup complete") >= 6, lambda: server.log)
            server.tell(signal.SIGTERM)
            assert server.process.wait(20) == 0
            goes_on()
            traffic.stop()
            assert successor.is_running()
            last = Burgee(server, burgee.database, burgee.content)
            end_during_a_write(last, successor)
        finally:
            with suppress(psutil.NoSuchProcess):
                successor.terminate()

    assert traffic.failures == []
    assert len(traffic.endings) >= 6  # all three at SIGHUP, and at the handover
    assert all(re.search(rb"\r\nretry: \d{3,4}\n\n\r\n0\r\n\r\n$", each) for each in traffic.endings)
    counted = dict(
        burgee.database.rows(
            "SELECT resource, sum(total_count)::int FROM analytics_requestbucket"
            f" WHERE user_agent = '{LABEL}' GROUP BY resource"
        )
    )
    assert counted == {
        Resource.FLAGS: traffic.answered["flags"],
        Resource.IDENTITIES: traffic.answered["identities"],
    }
    kept = burgee.database.rows("SELECT identifier, traits FROM identities_identity WHERE traits ? 'n'")
    assert {identifier: traits["n"] for identifier, traits in kept} == traffic.last_traits


def end_during_a_write(burgee: Burgee, master: psutil.Process) -> None:
    """Tell a server to end that is in the middle of a request."""
    answers: list[Answer] = []
    path = f"environments/{burgee.client_key}/featurestates/{burgee.content['state']}/"
    writer = threading.Thread(
        target=lambda: answers.append(burgee.manage("PUT", path, {"feature_state_value": "the last one"}))
    )
    with burgee.database.locked("features_featurestate") as waiting:
        writer.start()
        wait_until(waiting)
        master.terminate()

        def readiness() -> int:
            with connected(burgee.server.address) as connection:
                return connection.ask(request(target="/health/readiness/?format=json")).status

        wait_until(lambda: readiness() == 500)
        assert burgee.ask("flags/", burgee.client_key).status == 200  # for two seconds more
        wait_until(lambda: not _accepts(burgee.server.address))
    writer.join()
    wait_until(lambda: not master.is_running() or master.status() == psutil.STATUS_ZOMBIE)

    assert [answer.status for answer in answers] == [200]


def _accepts(address: tuple[str, int]) -> bool:
    try:
        with connected(address):
            return True
    except ConnectionRefusedError:
        return False

"""The whole server while its database is killed, frozen or out of reach: what is warm goes on."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
from django.conf import settings

from app.tests.outages import Database, manage, own_database
from core.tests.asgi.servers import Gunicorn, gunicorn, wait_until
from core.tests.asgi.wire import PATIENCE_SECONDS
from operations.metrics import families

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = pytest.mark.no_cover

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = pytest.mark.no_cover

# Far more than an answer from memory takes, far less than anything that waits for the database.
SOON_SECONDS = 2.0

MAKE_ENVIRONMENT = """
from environments.models import Environment
from features.models import Feature
from organisations.models import Organisation
from projects.models import Project
project = Project.objects.create(organisation=Organisation.objects.create(name="Acme"), name="Shop")
environment = Environment.objects.create(project=project, name="Production")
Feature.objects.create(project=project, name="colour", initial_value="blue")
print(environment.api_key)
"""


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with own_database() as database:
        yield database


@pytest.fixture(scope="module")
def server(database, tmp_path_factory) -> Iterator[Gunicorn]:
    folder = tmp_path_factory.mktemp("server")
    with gunicorn(
        folder / "log",
        *("--config", "python:app.gunicorn", "app.asgi"),
        DATABASE_URL=database.url,
        DJANGO_SETTINGS_MODULE="app.settings.test",
        SNAPSHOT_DIR=str(folder / "snapshots"),
        GUNICORN_WORKERS="1",
        PROMETHEUS_ENABLED="true",
    ) as server:
        yield server


class Sdk:
    """Asks as SDKs do. Whatever isn't answered soon fails."""

    def __init__(self, server: Gunicorn, key: str) -> None:
        self._address = server.address
        self._key = key

    def ask(
        self, method: str, path: str, body: Any = None, within_seconds: float = SOON_SECONDS, **headers: str
    ) -> tuple[Any, dict[str, str]]:
        connection = HTTPConnection(*self._address, timeout=within_seconds)
        try:
            connection.request(
                method,
                path if path.startswith("/") else f"/api/v1/{path}",
                body=None if body is None else json.dumps(body),
                headers={"X-Environment-Key": self._key, "Content-Type": "application/json", **headers},
            )
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        assert response.status == 200, content
        return json.loads(content), {name.lower(): value for name, value in response.getheaders()}

    def identify(self, identifier: str, **traits: Any) -> tuple[dict[str, Any], bool]:
        """Return an identity's traits, and whether they are durable."""
        given = [{"trait_key": key, "trait_value": value} for key, value in traits.items()]
        body, headers = self.ask("POST", "identities/", {"identifier": identifier, "traits": given})
        known = {trait["trait_key"]: trait["trait_value"] for trait in body["traits"]}
        return known, headers.get("x-burgee-persisted") != "false"


@pytest.fixture(scope="module")
def sdk(server, database) -> Sdk:
    sdk = Sdk(server, manage(database, "shell", "--verbosity=0", "-c", MAKE_ENVIRONMENT))
    sdk.ask("GET", "flags/", within_seconds=PATIENCE_SECONDS)
    return sdk


def probe(server: Gunicorn, path: str, within_seconds: float = SOON_SECONDS) -> tuple[int, str]:
    """Ask as a probe does, which knows the server by its address."""
    connection = HTTPConnection(*server.address, timeout=within_seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@contextmanager
def outage(database: Database, kind: str) -> Iterator[None]:
    with {"killed": database.killed, "frozen": database.frozen, "black-holed": database.black_holed}[kind]():
        yield


@pytest.mark.parametrize("kind", ["killed", "frozen", "black-holed"])
def test_warm_reads_and_writes_go_on_and_what_waits_is_stored_once(sdk, server, database, kind):
    people = [f"{kind} {number}" for number in range(20)]
    wait_until(lambda: sdk.identify("first")[1])  # the connection is up
    for name in people[:10]:
        assert sdk.identify(name, stored=True) == ({"stored": True}, True)
    sdk.ask("GET", "flags/")

    with outage(database, kind):
        for visits in (1, 2):
            for name in people:
                known, is_durable = sdk.identify(name, visits=visits)
                assert known["visits"] == visits
                assert not is_durable
        body, headers = sdk.ask("GET", f"identities/?identifier={kind}%203")
        assert [trait["trait_value"] for trait in body["traits"]] == [2]
        assert headers["x-burgee-persisted"] == "false"
        assert "x-burgee-degraded" in headers
        assert body["flags"][0]["feature_state_value"] == "blue"
        body, headers = sdk.ask("GET", "identities/?identifier=nobody&transient=true")
        assert "x-burgee-persisted" not in headers
        assert "x-burgee-degraded" in headers
        context = {"targetingKey": people[3], "plan": "pro"}
        body, headers = sdk.ask("POST", "/ofrep/v1/evaluate/flags", {"context": context})
        assert body["flags"][0]["key"] == "colour"
        assert "x-burgee-persisted" not in headers
        assert "x-burgee-degraded" in headers
        sdk.ask("GET", f"identities/?identifier={kind}%203", Cookie="sessionid=x")  # Django answers
        sdk.ask("POST", "identities/", {"traits": [{"trait_key": "plan", "trait_value": "pro"}]})
        sdk.ask("GET", "flags/")
        assert probe(server, "/health/liveness")[0] == 200
        status, body = probe(server, "/health/readiness?format=json", within_seconds=8.0)
        assert (status, json.loads(body)["status"]) == (200, "degraded")
        assert probe(server, "/health", within_seconds=8.0)[0] == 500
        assert probe(server, "/version", within_seconds=8.0)[0] == 200
        assert probe(server, "/metrics", within_seconds=8.0)[0] == 200

    expected = [
        (name, {"stored": True, "visits": 2} if number < 10 else {"visits": 2})
        for number, name in enumerate(people)
    ]
    query = f"SELECT identifier, traits FROM identities_identity WHERE identifier LIKE '{kind} %' ORDER BY id"
    wait_until(lambda: sorted(database.rows(query)) == sorted(expected), lambda: str(database.rows(query)))
    wait_until(lambda: sdk.identify(people[0])[1])
    assert sdk.identify(people[0], visits=3) == ({"stored": True, "visits": 3}, True)


def test_metrics_count_requests_by_their_routes_and_show_the_parts_of_the_server(sdk, server):
    for _ in range(3):
        sdk.ask("GET", "flags")
    probe(server, "/api/v1/projects/4711/")
    probe(server, "/nowhere/4711/")
    probe(server, "/health/readiness")

    def figures() -> dict[str, float]:
        lines = probe(server, "/metrics")[1].splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def requests(route: str, status: int, family: str = "requests_total", **more: str) -> str:
        labels = {"method": "GET", "response_status": status, "route": route, **more}
        inside = ",".join(f'{name}="{labels[name]}"' for name in sorted(labels))
        return f"flagsmith_http_server_{family}{{{inside}}}"

    asked = [
        requests("/api/v1/flags/", 200),
        requests("/api/v1/projects/{pk}/", 401),
        requests("/health/readiness/", 200),
    ]
    wait_until(lambda: set(asked) <= figures().keys(), lambda: str(figures()))
    found = figures()
    assert found[requests("/api/v1/flags/", 200)] >= 3
    assert found[requests("/api/v1/flags/", 200, "request_duration_seconds_count")] >= 3
    assert found[requests("/api/v1/flags/", 200, "response_size_bytes_bucket", le="1000.0")] >= 3
    assert found[requests("/api/v1/projects/{pk}/", 401)] == 1
    assert found[requests("unknown", 404)] >= 1
    assert not [name for name in found if "4711" in name]
    names = {name.partition("{")[0] for name in found} | {
        f"{each.name}{end}"  # of tasks, which nobody has run there
        for each in (*families.tasks_finished.describe(), *families.task_durations.describe())
        for end in ("_total", "_bucket")
    }
    dashboard = (settings.REPOSITORY_DIR / "deploy" / "grafana" / "burgee.json").read_text()
    shown = set(re.findall(r"\b(?:burgee|flagsmith)_[a-z_]+", dashboard))
    assert len(shown) > 40
    assert shown <= names, shown - names
    assert found['burgee_snapshot_revision{kind="polled"}'] > 0
    assert found["burgee_django_threads"] >= 1

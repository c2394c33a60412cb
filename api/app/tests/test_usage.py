"""What SDKs ask is counted, through whichever door, and nothing of it is lost when the server ends."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from django.db import connection

from analytics.models import FeatureEvaluationBucket, RequestBucket
from app.tests.doors import Exchange, ask_django, running_server
from app.tests.world import World, build_world
from core.tests.asgi.servers import gunicorn
from core.tests.asgi.wire import connected, request
from environments.models import EnvironmentRevision
from sdk import usage

pytestmark = pytest.mark.django_db(transaction=True)

PYTHON = ("User-Agent", "flagsmith-python-sdk/4.0.0")


@pytest.fixture
def world(monkeypatch) -> World:
    monkeypatch.setattr(usage, "is_on", True)
    return build_world("acme")


def requests() -> dict[str, int]:
    """Return how many requests have been counted, by resource."""
    counted: dict[str, int] = {}
    for bucket in RequestBucket.objects.all():  # more than one where a quarter of an hour ends meanwhile
        name = bucket.get_resource_display()
        counted[name] = counted.get(name, 0) + bucket.total_count
    return counted


def evaluations() -> int:
    return sum(FeatureEvaluationBucket.objects.values_list("total_count", flat=True))


def asked(world: World) -> list[Exchange]:
    """Return requests of which each resource has some that count."""
    key, server_key = ("X-Environment-Key", world.environment.api_key), world.server_key.key
    kim = json.dumps({"identifier": "kim", "traits": []}).encode()
    trait = json.dumps({"identity": {"identifier": "kim"}, "trait_key": "a", "trait_value": 1}).encode()
    is_json = ("Content-Type", "application/json")
    return [
        Exchange("GET", "/api/v1/flags/", (key, PYTHON)),
        Exchange("GET", "/api/v1/flags/", (key, ("If-None-Match", "*"))),
        Exchange("HEAD", "/api/v1/flags/", (key,)),
        Exchange("DELETE", "/api/v1/flags/", (key,)),  # 405
        Exchange("GET", "/api/v1/flags/?feature=unknown", (key,)),
        Exchange("GET", "/api/v1/flags/kim", (key,)),
        Exchange("GET", f"/api/v1/flags/?{'a&' * 1500}", (key,)),  # the lane leaves it to Django, to refuse
        Exchange("GET", "/api/v1/identities/?identifier=kim", (key,)),
        Exchange("GET", "/api/v1/identities/kim/", (key,)),
        Exchange("POST", "/api/v1/identities/", (key, is_json), kim),
        Exchange("POST", "/api/v1/identities/", (key, is_json), b"{"),
        Exchange("POST", "/ofrep/v1/evaluate/flags", (key, is_json), b'{"context": {"targetingKey": "kim"}}'),
        Exchange("POST", "/ofrep/v1/evaluate/flags/unknown", (key, is_json), b"{}"),
        Exchange("POST", "/ofrep/v1/evaluate/flags", (key, is_json), b"{"),
        Exchange("POST", "/ofrep/v1/evaluate/flags", (is_json,), b"{}"),
        Exchange("POST", "/api/v1/traits/", (key, is_json), trait),
        Exchange("GET", "/api/v1/environment-document/", (("X-Environment-Key", server_key),)),
        Exchange("OPTIONS", "/api/v1/flags/"),
        Exchange("GET", "/api/v1/flags/"),
        Exchange("GET", "/api/v1/flags/", (("X-Environment-Key", "unknown"),)),
        Exchange("GET", "/api/v1/environment-document/", (key,)),
        Exchange("GET", "/api/v1/organisations/"),
    ]


COUNTED = {"flags": 7, "identities": 7, "traits": 1, "environment-document": 1}


def test_requests_that_a_key_lets_in_are_counted_by_django(world):
    for exchange in asked(world):
        ask_django(exchange)

    assert requests() == COUNTED


def test_requests_that_a_key_lets_in_are_counted_by_the_server(world):
    with running_server() as server:
        for exchange in asked(world):
            server.ask(exchange)

    assert requests() == COUNTED
    assert {"flagsmith-python-sdk/4.0.0", ""} == set(
        RequestBucket.objects.values_list("user_agent", flat=True)
    )


def test_reports_are_taken_by_the_lane_and_written_together(world):
    headers = (("X-Environment-Key", world.environment.api_key), ("Content-Type", "application/json"))
    name = world.feature.name
    report = json.dumps({name: 3, name.upper(): 4, "unknown": 5, "": 1}).encode()
    by_identity = json.dumps(
        {"evaluations": [{"feature_name": name, "enabled_when_evaluated": True, "count": 2}]}
    ).encode()

    with running_server() as server:
        for _ in range(10):
            server.ask(Exchange("POST", "/api/v1/analytics/flags/", headers, report))
        reached_django = server.reached_django
        server.ask(Exchange("POST", "/api/v2/analytics/flags/", headers, by_identity))
        written_before_the_end = evaluations()

    assert reached_django == 0
    assert (written_before_the_end, evaluations()) == (0, 72)
    assert requests() == {}


def test_concurrent_requests_through_both_doors_all_count(world):
    key = ("X-Environment-Key", world.environment.api_key)
    in_lane = Exchange("GET", "/api/v1/flags/", (key,))
    in_django = Exchange("GET", "/api/v1/flags/kim", (key,))
    before = EnvironmentRevision.objects.get(environment_id=world.environment.pk)

    with running_server() as server, ThreadPoolExecutor(8) as pool:
        statuses = {answer.status for answer in pool.map(server.ask, [in_lane, in_django] * 100)}

    assert statuses == {200}
    assert requests() == {"flags": 200}
    after = EnvironmentRevision.objects.get(environment_id=world.environment.pk)
    assert (after.revision, after.nonce) == (before.revision, before.nonce)


def test_nothing_is_lost_when_the_server_is_told_to_end(world, tmp_path):
    key = ("X-Environment-Key", world.environment.api_key)
    report = json.dumps({world.feature.name: 3}).encode()
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = {
        "DATABASE_URL": database.geturl(),
        "DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "app.settings.local",
        "GUNICORN_WORKERS": "2",
        "API_USAGE_CACHE_SECONDS": "600",
        "FEATURE_EVALUATION_CACHE_SECONDS": "600",
    }
    arguments = ["--config", "python:app.gunicorn", "app.asgi"]

    with gunicorn(tmp_path / "log", *arguments, **environment) as server:

        def ask(number: int) -> None:
            with connected(server.address) as client:
                client.ask(request(target="/api/v1/flags/", headers=[key]))
                client.ask(request(target="/api/v1/flags/kim", headers=[key]))
                client.ask(
                    request(
                        "POST",
                        "/api/v1/analytics/flags/",
                        [key, ("Content-Type", "application/json")],
                        report,
                    )
                )

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, range(40)))
        counted_before_the_end = requests()
        server.tell(signal.SIGTERM)
        assert server.process.wait(30) == 0

    assert counted_before_the_end == {}
    assert (requests(), evaluations()) == ({"flags": 80}, 120)

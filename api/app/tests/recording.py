"""Which tests get a successful answer from which route, for docs/compatibility.md.

docs/endpoint-tests.json names one test for each route. `pytest --record-endpoints` brings it up to date with
the tests that it runs; every other run holds it true: a test that is named there and doesn't get an answer
from its route any more fails. These are pytest's hooks, for the conftest.
"""

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.test import Client
from django.urls import Resolver404

from app.compatibility import ENDPOINT_TESTS, recorded_tests, routes_here
from app.routes import Route
from core.routes import readable

_PROPERTY = "answered_routes"
# Walks over all routes, which are parametrised by them, say less of one than a test of its own.
_WALK = re.compile(r"\[.*\b[A-Z]+ /")

# What tests of this run got answers from, by test. With several processes the first one knows all.
_answered: dict[str, list[str]] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-endpoints", action="store_true", help="write docs/endpoint-tests.json")
    parser.addoption("--record-queries", action="store_true", help="write api/app/tests/query_counts.toml")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    routes: set[str] = set()
    send = Client.request

    def noting(client: Client, **request: Any) -> Any:
        response = send(client, **request)
        if 200 <= response.status_code < 400:  # pages lead elsewhere
            routes.update(_route_of(response, request.get("REQUEST_METHOD", "GET")))
        return response

    with mock.patch.object(Client, "request", noting):
        result = yield
    item.user_properties.append((_PROPERTY, sorted(routes)))
    if not item.config.getoption("--record-endpoints"):
        promised = {route for route, test in recorded_tests().items() if test == item.nodeid}
        assert promised <= routes, (
            f"docs/endpoint-tests.json says that this test gets an answer from {promised - routes}: "
            "run it with --record-endpoints."
        )
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        _answered[report.nodeid] = dict(report.user_properties).get(_PROPERTY, [])  # type: ignore[assignment]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--record-endpoints") and not hasattr(session.config, "workerinput"):
        here = {str(each) for each in routes_here()}
        kept = {
            route: test
            for route, test in recorded_tests().items()
            if route in here and is_test(test) and route in _answered.get(test, [route])
        }
        recorded = {**_most_telling(here), **kept}
        ENDPOINT_TESTS.write_text(json.dumps(dict(sorted(recorded.items())), indent=1) + "\n")


def is_test(test: str) -> bool:
    """Whether a test is still there, by its id: `api/app/tests/test_x.py::TestY::test_z[parameters]`."""
    path, _, name = re.sub(r"\[.*", "", test).partition("::")
    file = Path(settings.REPOSITORY_DIR) / path
    return file.exists() and f"def {name.rpartition('::')[2]}(" in file.read_text()


def _most_telling(here: set[str]) -> dict[str, str]:
    """Return for each of these routes, of the tests that it answered, the one that asks fewest others."""
    chosen: dict[str, tuple[int, bool, str]] = {}
    for test, routes in _answered.items():
        if _WALK.search(test):
            continue
        for route in here.intersection(routes):
            telling = (len(routes), "[" in test, test)
            chosen[route] = min(telling, chosen.get(route, telling))
    return {route: test for route, (_, _, test) in chosen.items()}


def _route_of(response: Any, method: str) -> set[str]:
    try:
        pattern = response.resolver_match.route
    except Resolver404:  # asked without the slash at its end
        return set()
    return {str(Route(readable(pattern), method))}

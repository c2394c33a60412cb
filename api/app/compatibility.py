"""docs/compatibility.md: which endpoints of Flagsmith's API there are here, and a test of each.

Made of docs/endpoints.toml, which lists Flagsmith's endpoints; of Burgee's routes and its OpenAPI document;
and of docs/endpoint-tests.json, which says which test got an answer from which route.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings

from app.routes import Route, all_routes
from core.openapi import rendered_document

ENDPOINTS = settings.REPOSITORY_DIR / "docs" / "endpoints.toml"
ENDPOINT_TESTS = settings.REPOSITORY_DIR / "docs" / "endpoint-tests.json"
DOCUMENT = settings.REPOSITORY_DIR / "docs" / "compatibility.md"

# Between these browsers are sent to and fro: no part of the API that programs ask.
_PAGES = ("/oidc/", "/password-reset/")

CLASSES = ("core", "common", "niche")
_CRUD = (("", ("GET", "POST")), ("{id}/", ("GET", "PUT", "PATCH", "DELETE")))

_INTRODUCTION = """\
# Compatibility with Flagsmith's API

Made by `make docs` from the routes, the OpenAPI document and what the tests do: not to be edited. An
endpoint that is here has its operation in [openapi.yaml](openapi.yaml), and a test that got a successful
answer from it. What isn't here is answered 404, or 405 where only the method isn't. Paths work with and
without the slash at their end.

**core** is what SDKs, the dashboard's main screens, Terraform and everyday scripts call; **common** is what
many installations want besides; **niche** is for a certain product, plan or vendor.
"""


@dataclass(frozen=True)
class Endpoint:
    """A path and a method of Flagsmith's API. Some have only to exist, for clients that can't do without."""

    route: Route
    kind: str
    is_refused: bool


@dataclass(frozen=True)
class Group:
    title: str
    endpoints: list[Endpoint]


def routes_here() -> list[Route]:
    """Return the routes of Burgee's API."""
    return [route for route in all_routes() if not route.path.startswith(_PAGES)]


def inventory() -> list[Group]:
    """Return Flagsmith's endpoints, in groups."""
    content = tomllib.loads(ENDPOINTS.read_text())
    return [
        Group(
            each["title"],
            [
                Endpoint(route, each["class"], route in _routes_of(each.get("refused", [])))
                for route in _routes_of(each["endpoints"])
            ],
        )
        for each in content["groups"]
    ]


@cache
def recorded_tests() -> dict[str, str]:
    """Return the recorded tests: pytest's name of a test, by `GET /api/v1/flags/`."""
    tests: dict[str, str] = json.loads(ENDPOINT_TESTS.read_text())
    return tests


def document() -> str:
    """Return the page."""
    here = {route.anonymous: route for route in routes_here()}
    tests = recorded_tests()
    groups = inventory()
    listed = {endpoint.route.anonymous for group in groups for endpoint in group.endpoints}
    further = [route for route in here.values() if route.anonymous not in listed]
    parts = [
        _INTRODUCTION,
        _summary(groups, here),
        *(_section(group, here, tests) for group in groups),
        "## Here besides\n\n" + _table(_row(route, route, "", tests) for route in further),
        "## Answered 404\n\nNiche endpoints that Burgee doesn't have:\n\n" + _missing(groups, here),
    ]
    return "\n".join(parts)


def _routes_of(lines: list[str]) -> Iterator[Route]:
    for line in lines:
        *methods, path = line.split()
        path = path if path.startswith("/") else f"/api/v1/{path}"
        if methods == ["CRUD"]:
            yield from (Route(path + item, method) for item, offered in _CRUD for method in offered)
        else:
            yield from (Route(path, method) for method in methods)


def _summary(groups: list[Group], here: dict[Any, Route]) -> str:
    every = [endpoint for group in groups for endpoint in group.endpoints]
    known = Counter(endpoint.kind for endpoint in every)
    present = Counter(endpoint.kind for endpoint in every if endpoint.route.anonymous in here)
    rows = [f"| {kind} | {known[kind]} | {present[kind]} |" for kind in CLASSES]
    return "\n".join(["| Class | Endpoints | Here |", "| --- | --- | --- |", *rows, ""])


def _section(group: Group, here: dict[Any, Route], tests: dict[str, str]) -> str:
    rows = (
        _refused_row(endpoint)
        if endpoint.is_refused and endpoint.route.anonymous in here
        else _row(endpoint.route, here.get(endpoint.route.anonymous), endpoint.kind, tests)
        for endpoint in group.endpoints
    )
    return f"## {group.title}\n\n{_table(rows)}"


def _table(rows: Iterator[str]) -> str:
    head = ["| Endpoint | Class | Operation | Test |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])


def _row(known_as: Route, route: Route | None, kind: str, tests: dict[str, str]) -> str:
    if route is None:
        return f"| `{known_as}` | {kind} | not here | |"
    operation = _operation_ids().get(route.anonymous)
    test = tests.get(str(route), f"{WALK}[{route}]")
    return f"| `{known_as}` | {kind} | {f'`{operation}`' if operation else '–'} | {_link(test)} |"


def _refused_row(endpoint: Endpoint) -> str:
    operation = _operation_ids().get(endpoint.route.anonymous)
    return f"| `{endpoint.route}` | {endpoint.kind} | `{operation}` | refuses everybody |"


# Tries the example of every route, and so stands for those that no test of their app asks.
WALK = "api/app/tests/test_malformed_input.py::test_the_example_works"


def _link(test: str) -> str:
    """Return a link to a test's file that shows the test's own words."""
    path, _, name = test.partition("::")
    words = re.sub(r"\[.*", "", name).rpartition("::")[2].removeprefix("test_").replace("_", " ")
    return f"[{words}](../{path})"


def _missing(groups: list[Group], here: dict[Any, Route]) -> str:
    methods: dict[str, list[str]] = {}
    for group in groups:
        for endpoint in group.endpoints:
            if endpoint.kind == "niche" and endpoint.route.anonymous not in here:
                methods.setdefault(endpoint.route.path, []).append(endpoint.route.method)
    return "\n".join(f"- `{' '.join(offered)} {path}`" for path, offered in methods.items()) + "\n"


@cache
def _operation_ids() -> dict[tuple[str, str], str]:
    paths = json.loads(rendered_document("application/json"))["paths"]
    return {
        Route(path, method.upper()).anonymous: operation["operationId"]
        for path, methods in paths.items()
        for method, operation in methods.items()
    }

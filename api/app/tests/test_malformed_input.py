"""What strangers may send: malformed input is refused, in JSON, changes nothing and costs little.

Every route takes part, from the table of examples, without a test of its own.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from app.tests.canaries import watching
from app.tests.examples import EXAMPLES, ROUTES, WORKING, example_of
from app.tests.mutations import doubtful_values, field, fields, leaves, replaced, wrong_values
from app.tests.openapi import body_type, operation_of, request_fields
from app.tests.requests import Outcome, send
from app.tests.routes import Route, api_routes, refused_methods
from app.tests.standing import standing
from app.tests.world import World
from core.tests.thoroughness import EVERYTHING

WITH_BODY = [route for route in ROUTES if example_of(route).body]
# The same body by PUT and by PATCH: one of them is enough for what takes long.
WITH_OTHER_BODY = [
    route for route in WITH_BODY if route.method != "PATCH" or Route(route.path, "PUT") not in WITH_BODY
]
# The first of those whose bodies are of one type.
FIRST_OF_TYPE = {body_type(route): route for route in reversed(WITH_OTHER_BODY)}.values()
WITH_JSON = [route for route in WITH_BODY if not example_of(route).is_form]
# Of the methods of an address, the first: what a path names is looked up alike for all.
WITH_PARAMETERS = [
    route
    for number, route in enumerate(ROUTES)
    if route.parameters and (EVERYTHING or route.path not in {each.path for each in ROUTES[:number]})
]

EXAMPLE_AT = {route.path: example_of(route) for route in ROUTES}
REFUSED_METHODS = [
    route for route in refused_methods() if route.path in EXAMPLE_AT and not EXAMPLE_AT[route.path].is_page
]

# Bounds instead of a clock: what runs few statements and says little is fast on every machine.
MOST_STATEMENTS = 40
LONGEST_REFUSAL = 10_000

NO_JSON = {
    "cut off": b'{"name": ',
    "empty": b" ",
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "1e400": b'{"name": 1e400}',
    "5,000 digits": b'{"name": ' + b"1" * 5_000 + b"}",
    "lists 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "objects 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "not UTF-8": b'{"name": "\xff"}',
    "text": b'"text"',
    "a number": b"7",
    "true": b"true",
    "null": b"null",
}
NOT_UTF_8 = ["%FF", "%ED%A0%80"]
PATH_VALUES = ["abc", "-1", "0", "1.5", "9" * 10, "9" * 30, "9" * 5_000, "a" * 5_000, "%00", *NOT_UTF_8]
QUERY_VALUES = ["-1", "abc", "9" * 30, "", "%00", NOT_UTF_8[1]]
ODD_TEXTS = [
    "Robert'); DROP TABLE students;--",
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd",
    "<b>&amp;</b> %s {0} \\",
    "\U0001f3f4\u200d\u2620\ufe0f \u0065\u0301",
]
FORMS = {
    "a form": ("application/x-www-form-urlencoded", b"name=%00&x=%FF&name=a&traits=1"),
    "a form in UTF-16": ("application/x-www-form-urlencoded; charset=utf-16", b"\xff\xfe\x00"),
    "parts": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\0',
    ),
    "parts without a boundary": ("multipart/form-data", b"--b"),
    "parts cut off": ("multipart/form-data; boundary=b", b"--b\r\nContent"),
    "an unknown charset": ("application/json; charset=burgee", b"{}"),
}


# Without coverage: what is walked through thousands of times has tests of its own.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with standing(django_db_blocker, "acme") as (world,):
        yield world


def test_every_route_has_an_example():
    routes = {str(route) for route in api_routes()}
    missing, gone = sorted(routes - EXAMPLES.keys()), sorted(EXAMPLES.keys() - routes)

    assert not missing, (
        f"Add an Example of a request that works to app/tests/examples/ for each of: {missing}"
    )
    assert not gone, f"These routes of app/tests/examples/ are no more: {gone}"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_the_example_shows_every_field(route, world):
    example = example_of(route)
    shown = {field(path) for path, _ in leaves(example.body_in(world))} | example.alternatives

    assert sorted(request_fields(route) - shown) == [], "Put these fields into the route's example."


@pytest.mark.parametrize("route", WORKING, ids=str)
def test_the_example_works(route, world):
    outcome = request(route, world)

    assert outcome.is_success, outcome


@pytest.mark.parametrize("route", WITH_BODY, ids=str)
def test_a_body_that_is_no_json_object_of_this_route_is_refused(route, world):
    # What the parser refuses, it refuses for every route.
    texts = (
        NO_JSON if route in FIRST_OF_TYPE else {name: NO_JSON[name] for name in ("cut off", "text", "null")}
    )
    opposite = b"{}" if isinstance(example_of(route).body_in(world), list) else b"[]"
    bodies = {**texts, "the other container": opposite}

    outcomes = {name: request(route, world, raw=raw) for name, raw in bodies.items()}

    assert_refused(outcomes)


@pytest.mark.parametrize("route", WITH_BODY, ids=str)
def test_a_field_of_the_wrong_type_is_refused(route, world):
    example = example_of(route)
    body = example.body_in(world)

    outcomes = {
        f"{field(path)} = {value!r:.60}": request(route, world, body=replaced(body, path, value))
        for number, path, right in fields(body)
        if field(path) not in example.takes_anything
        for value in _tried(wrong_values(right), route, number)
    }

    assert_refused(outcomes)


@pytest.mark.parametrize("route", WITH_OTHER_BODY, ids=str)
def test_no_value_of_any_field_makes_the_server_fail(route, world):
    body = example_of(route).body_in(world)

    with watching():  # what becomes a password here is no secret, and comes back in refusals of other fields
        outcomes = {
            f"{field(path)} = {value!r:.60}": request(route, world, body=replaced(body, path, value))
            for number, path, right in fields(body)
            for value in _tried(doubtful_values(right), route, number)
        }

    assert_no_failure(outcomes)


@pytest.mark.parametrize("route", WITH_BODY, ids=str)
def test_a_body_of_an_unknown_type_or_size_is_refused(route, world):
    too_large = json.dumps("x" * settings.MAX_REQUEST_BODY_BYTES).encode()

    outcomes = {
        "XML": request(route, world, raw=b"<a/>", content_type="application/xml"),
        "too large": request(route, world, raw=too_large),
    }

    assert_refused(outcomes)
    assert outcomes["XML"].status == 415
    assert outcomes["too large"].status in {400, 413, 415}


@pytest.mark.parametrize("route", WITH_BODY, ids=str)
def test_no_form_makes_the_server_fail(route, world):
    outcomes = {
        name: request(route, world, raw=raw, content_type=content_type)
        for name, (content_type, raw) in FORMS.items()
    }

    assert_no_failure(outcomes)


@pytest.mark.parametrize("route", WITH_PARAMETERS, ids=str)
def test_a_path_that_names_nothing_is_refused(route, world):
    example = example_of(route)

    outcomes = {
        f"{name} = {value:.60}": request(route, world, path={name: value})
        for name in route.parameters
        if name not in example.any_value
        for value in PATH_VALUES
    }

    assert_refused(outcomes)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_no_query_makes_the_server_fail(route, world):
    names = {*example_of(route).query(world), *documented_query(route)}
    if route.method == "GET":
        names |= {"page", "page_size"}

    outcomes = {
        f"{name}={value:.60}": request(route, world, query=f"{name}={value}")
        for number, name in enumerate(sorted(names))
        for value in _tried(QUERY_VALUES, route, number)
    } or {"x": request(route, world, query=f"x={QUERY_VALUES[-1]}")}

    assert_no_failure(outcomes)


@pytest.mark.parametrize("route", WORKING, ids=str)
def test_unknown_parameters_and_huge_pages_do_no_harm(route, world):
    given = {**example_of(route).query(world), "page_size": "1000000", "burgee": "1"}

    assert request(route, world, query=given).is_success


@pytest.mark.parametrize("route", [route for route in WITH_JSON if route in WORKING], ids=str)
def test_unknown_and_duplicate_keys_do_no_harm(route, world):
    body = example_of(route).body_in(world)
    item = body[0] if isinstance(body, list) else body
    unknown = {**item, "burgee": {"a": 1}, "constructor": 1, "": 2}
    duplicate = ", ".join(f'"{key}": "wrong", "{key}": {json.dumps(value)}' for key, value in item.items())
    bodies = {"unknown": json.dumps(unknown), "duplicate": "{" + duplicate + "}"}

    outcomes = {
        name: request(route, world, raw=(f"[{text}]" if isinstance(body, list) else text).encode())
        for name, text in bodies.items()
    }

    assert [f"{name}: {outcome}" for name, outcome in outcomes.items() if not outcome.is_success] == []


@pytest.mark.parametrize("route", [route for route in WITH_BODY if example_of(route).text], ids=str)
def test_odd_text_is_stored_as_it_came(route, world):
    example = example_of(route)
    body = example.body_in(world)
    texts = ODD_TEXTS if EVERYTHING or route in FIRST_OF_TYPE else ODD_TEXTS[:1]

    outcomes = {
        (field(path), text): request(route, world, body=replaced(body, path, text))
        for path, _ in leaves(body)
        if field(path) in example.text
        for text in texts
    }

    assert outcomes
    wrong = [
        f"{name}: {outcome}"
        for (name, text), outcome in outcomes.items()
        if not outcome.is_success or text not in [value for _, value in leaves(outcome.json())]
    ]
    assert wrong == []


@pytest.mark.parametrize("route", REFUSED_METHODS, ids=str)
def test_a_method_that_is_not_offered_is_refused(route, world):
    offered = EXAMPLE_AT[route.path]

    outcome = send(
        route.method,
        route.url(offered.path(world)),
        headers=offered.caller.headers(world),
        body={},
    )

    assert_refused({route.method: outcome})
    assert outcome.status in {403, 404, 405}


def request(
    route: Route,
    world: World,
    *,
    path: dict[str, Any] | None = None,
    query: dict[str, Any] | str | None = None,
    body: Any = None,
    raw: bytes | None = None,
    content_type: str = "application/json",
) -> Outcome:
    """Send the route's example, with parts of it replaced."""
    example = example_of(route)
    if body is None:
        body = example.body_in(world)
    return send(
        route.method,
        route.url({**example.path(world), **(path or {})}),
        headers=example.caller.headers(world),
        query=example.query(world) if query is None else query,
        body=body,
        raw=raw,
        content_type=content_type,
    )


def _tried(values: list[Any], route: Route, number: int) -> list[Any]:
    """Return one in three values, others for each field and route; all of them with `make walks`."""
    return values if EVERYTHING else values[(number + ROUTES.index(route)) % 3 :: 3]


def documented_query(route: Route) -> list[str]:
    """Return the names of the query parameters that the OpenAPI document has for a route."""
    parameters = operation_of(route).get("parameters", [])
    # Headers that many operations share are there by reference.
    return [each["name"] for each in parameters if each.get("in") == "query"]


def assert_refused(outcomes: dict[str, Outcome]) -> None:
    assert_no_failure(outcomes)
    accepted = [f"{name}: {outcome}" for name, outcome in outcomes.items() if not outcome.is_refusal]
    assert accepted == []


def assert_no_failure(outcomes: dict[str, Outcome]) -> None:
    """Whatever was refused was refused well: in JSON, briefly, and without a trace."""
    assert [
        f"{name}: {outcome}"
        for name, outcome in outcomes.items()
        if outcome.status >= 500 and not outcome.is_success
    ] == []
    refused = {name: outcome for name, outcome in outcomes.items() if outcome.is_refusal}
    assert [f"{name}: {outcome}" for name, outcome in refused.items() if outcome.changed] == []
    assert [f"{name}: {outcome}" for name, outcome in refused.items() if not says_why(outcome)] == []
    assert [
        f"{name}: {outcome.statements} statements, {len(outcome.content)} bytes"
        for name, outcome in refused.items()
        if outcome.statements > MOST_STATEMENTS or len(outcome.content) > LONGEST_REFUSAL
    ] == []


def says_why(outcome: Outcome) -> bool:
    """Whether a refusal is JSON with something in it."""
    return outcome.content_type.startswith("application/json") and bool(outcome.json())

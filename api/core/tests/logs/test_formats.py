"""What log lines look like, and what they never say."""

import json
import logging
import re
import sys

import pytest

from core.logs import context
from core.logs.formats import Generic, Json, Line

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/api/v1/flags/",
    "query_string": b"feature=a",
    "headers": [
        (b"x-request-id", b"from-a-proxy"),
        (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ],
}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def at_hand():
    """The scope of a request that is being worked on."""
    scope = dict(SCOPE)
    token = context.current.set(scope)
    yield scope
    context.current.reset(token)


def record(message: str, *args: object, **bound: object) -> logging.LogRecord:
    made = logging.LogRecord("features.views", logging.WARNING, __file__, 41, message, args, None, "list")
    vars(made).update(bound)
    return made


def test_a_line_has_the_same_columns_within_a_request_and_outside(at_hand):
    within = Line().format(record("Too %s.", "many", status=200))
    context.current.set(None)
    outside = Line().format(record("Too many."))

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \| WARNING \| core\.tests\.logs\.test_formats\.list::41 \| "
        r"GET \| "
        rf"/api/v1/flags/ \| feature=a \| 200 OK \| Too many\. \[request_id=from-a-proxy, trace_id={TRACE}\]",
        within,
    )
    assert outside.split(" | ")[1:] == [
        "WARNING",
        "core.tests.logs.test_formats.list::41",
        "-",
        "-",
        "-",
        "-",
        "Too many.",
    ]


def test_json_has_what_is_known_and_what_was_bound_on_one_line(at_hand):
    try:
        raise ValueError("a\nb")
    except ValueError:
        made = record("It \n broke.", project=7, status=503)
        made.exc_info = sys.exc_info()

    line = Json().format(made)

    said = json.loads(line)
    assert "\n" not in line
    assert said.pop("timestamp").endswith("+00:00")
    assert said.pop("exc_info").endswith("ValueError: a\nb")
    assert isinstance(said.pop("pid"), int)
    assert said == {
        "message": "It \n broke.",
        "levelname": "WARNING",
        "logger_name": "features.views",
        "thread_name": "MainThread",
        "location": "core.tests.logs.test_formats.list::41",
        "method": "GET",
        "path": "/api/v1/flags/",
        "parameters": "feature=a",
        "request_id": "from-a-proxy",
        "trace_id": TRACE,
        "status": 503,
        "project": 7,
    }


def test_a_line_for_people_says_which_request_it_is_about(at_hand):
    line = Generic().format(record("Too many."))

    assert line.endswith(
        "WARNING features.views: Too many. "
        f"(GET /api/v1/flags/?feature=a, request from-a-proxy, trace {TRACE})"
    )


@pytest.mark.parametrize("formatter", [Generic(), Line(), Json()])
def test_no_format_says_what_opens_something_or_lets_a_value_begin_a_line(at_hand, formatter):
    at_hand |= {
        "path": "/password-reset/confirm/MQ/canary-1/",
        "query_string": b"feature=a&access_token=canary-2&key=ser.canary3",
        "headers": [(b"x-request-id", b"ser.canary4")],
    }
    message = "postgres://kim:canary-5@db refuses Token canary-67890 and ser.canary8\n2026-01-01 forged"

    line = formatter.format(record("%s", message, headers={"Authorization": "Bearer canary-9abc"}))

    assert "canary" not in line
    assert "\n" not in line
    assert "feature=a" in line


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("7f0c-1", True),
        ("Root=1-67891233-abcdef012345678912345678", True),
        ("", False),
        ("a b", False),
        ("x" * 65, False),
        ("a\nb", False),
        ("ser.8KzETdDeMY7x", False),
        ("ärger", False),
    ],
)
def test_an_id_is_taken_that_is_short_and_harmless_and_another_is_made_once(given, is_taken):
    scope = {**SCOPE, "headers": [(b"x-request-id", given.encode("latin-1"))]}

    found = context.request_id_of(scope)

    assert (found == given) == is_taken
    assert context.request_id_of(scope) == found
    assert re.fullmatch(r"[\w=-]{4,64}", found)


@pytest.mark.parametrize(
    ("given", "trace_id"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later", TRACE),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", ""),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", ""),
        ("nonsense", ""),
    ],
)
def test_the_trace_is_that_of_a_valid_traceparent(given, trace_id):
    scope = {**SCOPE, "headers": [(b"traceparent", given.encode())]}

    assert context.trace_id_of(scope) == trace_id
    assert context.traceparent_of(scope) == (given if trace_id else "")

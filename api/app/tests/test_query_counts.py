"""How many statements every list of the API takes: in query_counts.toml, and no more for a longer list.

`pytest api/app/tests/test_query_counts.py --record-queries` writes the file, for the difference to be read.
A list that isn't there yet is found from the routes, so none can be forgotten.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.tests.examples import WORKING, Caller, example_of
from app.tests.examples.integrations import BELOW
from app.tests.growth import grow
from app.tests.requests import Outcome, send
from app.tests.routes import Route
from app.tests.standing import standing
from app.tests.world import World
from integrations.kinds import KINDS

FILE = Path(__file__).with_name("query_counts.toml")
PEOPLE = {Caller.ADMIN, Caller.MEMBER}
READ_BY_PEOPLE = [
    route
    for route in WORKING
    if route.method == "GET" and example_of(route).caller in PEOPLE and not example_of(route).is_double
]
MANY = 10

ORGANISATION = "/api/v1/organisations/{organisation_pk}/"
# Lists that are no longer where there is more of everything, and why.
FIXED = {
    "GET /api/v1/auth/mfa/user-active-methods/": "what somebody has set up, of a few methods",
    "GET /api/v1/environments/permissions/": "the catalogue",
    "GET /api/v1/organisations/permissions/": "the catalogue",
    "GET /api/v1/projects/permissions/": "the catalogue",
    "GET /api/v1/features/download-feature-export/{pk}/": "a file",
    f"GET {ORGANISATION}api-usage-notification/": "always empty",
    **{
        f"GET {BELOW[level]}/{kind.name}/": "one of each kind"
        for kind in KINDS.values()
        for level in kind.levels
    },
    "GET /api/v1/projects/{project_pk}/feature-health/providers/": "one of each kind",
    f"GET {ORGANISATION}metadata-model-fields/supported-content-types/": "the kinds of things there are",
    f"GET {ORGANISATION}metadata-model-fields/supported-required-for-models/": "the same",
    f"GET {ORGANISATION}roles/{{role_pk}}/organisation-permissions/": "a role has one row",
    f"GET {ORGANISATION}roles/{{role_pk}}/projects-permissions/": "the same, of one project",
    f"GET {ORGANISATION}roles/{{role_pk}}/environments-permissions/": "the same, of one environment",
}
# Lists whose example asks for some rows: these are asked for all.
NARROWED = {
    "GET /api/v1/audit/",
    "GET /api/v1/projects/{project_pk}/audit/",
    f"GET {ORGANISATION}audit/",
    "GET /api/v1/projects/",
    f"GET {ORGANISATION}user-permissions/",
    f"GET {ORGANISATION}user-group-permissions/",
    f"GET {ORGANISATION}metadata-model-fields/",
}

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


@dataclass(frozen=True)
class Reading:
    """What a request took. `rows` is None where the answer is no list; `refusal` is empty for a success."""

    statements: int
    rows: int | None
    refusal: str

    def __str__(self) -> str:
        return f"{self.statements} statements for {self.rows} rows"


@pytest.fixture(scope="module")
def readings(django_db_setup, django_db_blocker, request) -> Iterator[dict[Route, tuple[Reading, Reading]]]:
    """What everything that people read takes with few rows, and with many."""
    with standing(django_db_blocker, "acme") as (world,):
        grow(world)
        for route in READ_BY_PEOPLE:
            if "metadata" in route.path:  # content types are looked up once and for all
                ask(route, world)
        few = {route: read(route, world) for route in READ_BY_PEOPLE}
        for _ in range(MANY):
            grow(world)
        many = {route: read(route, world) for route in READ_BY_PEOPLE}
        if request.config.getoption("--record-queries"):
            record(few)
        yield {route: (few[route], many[route]) for route in READ_BY_PEOPLE}


@pytest.mark.parametrize("route", READ_BY_PEOPLE, ids=str)
def test_more_rows_take_no_more_statements(route, readings):
    few, many = readings[route]

    assert not few.refusal
    assert many.statements == few.statements, f"{few}, {many}"
    if few.rows is not None and str(route) not in FIXED:
        assert few.rows > 0
        assert many.rows >= few.rows + MANY, "app.tests.growth makes this list no longer."


def test_the_file_has_what_every_list_takes(readings):
    recorded = tomllib.loads(FILE.read_text())

    assert recorded == taken({route: few for route, (few, _) in readings.items()}), (
        "Look why, and write the file: pytest api/app/tests/test_query_counts.py --record-queries"
    )


def ask(route: Route, world: World) -> Outcome:
    example = example_of(route)
    return send(
        route.method,
        route.url(example.path(world)),
        headers=example.caller.headers(world),
        query={} if str(route) in NARROWED else example.query(world),
    )


def read(route: Route, world: World) -> Reading:
    outcome = ask(route, world)
    refusal = "" if outcome.is_success else str(outcome)
    is_json = outcome.content_type.startswith("application/json")
    return Reading(outcome.statements, rows_in(outcome.json()) if is_json else None, refusal)


def rows_in(answer: Any) -> int | None:
    rows = answer.get("results") if isinstance(answer, dict) else answer
    return len(rows) if isinstance(rows, list) else None


def taken(readings: dict[Route, Reading]) -> dict[str, int]:
    return {str(route): each.statements for route, each in readings.items() if each.rows is not None}


def record(readings: dict[Route, Reading]) -> None:
    lines = [f'"{route}" = {statements}\n' for route, statements in sorted(taken(readings).items())]
    introduction = (
        "# The statements that each list takes, however long it is. Written by\n"
        "# pytest api/app/tests/test_query_counts.py --record-queries\n\n"
    )
    FILE.write_text(introduction + "".join(lines))

"""Whatever can be changed has an entity tag, and isn't changed for whoever takes it for what it was.

From the table of examples, so that a new route takes part as soon as it has one.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.http.request import HttpHeaders

from app.tests.examples import WORKING, Caller, example_of
from app.tests.requests import send, the_client
from app.tests.routes import Route
from app.tests.standing import standing
from app.tests.world import World

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]

STALE = '"00000000000000000000000000000000"'
PEOPLE = {Caller.ADMIN, Caller.MEMBER}
# What stands at an address without being an object that is read and written there.
NO_OBJECTS = {
    "DELETE /api/v1/auth/token/",
    "DELETE /api/v1/auth/users/{user_id}/",
    "PATCH /api/v1/auth/users/me/onboarding/",
    # Whose override it is, the body says.
    "PUT /api/v1/environments/environments/{environment_key}/edge-identities-featurestates",
    "DELETE /api/v1/environments/environments/{environment_key}/edge-identities-featurestates",
}
WRITES = [
    route
    for route in WORKING
    if route.method in {"PUT", "PATCH", "DELETE"}
    and example_of(route).caller in PEOPLE
    and str(route) not in NO_OBJECTS
]
WRITES = [each for each in WRITES if each.method != "PATCH" or Route(each.path, "PUT") not in WRITES]
READABLE = {route.path for route in WORKING if route.method == "GET"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    tag: str | None


def ask(route: Route, world: World, method: str | None = None, **headers: str) -> Answer:
    """Send a route's example, or one with another method to its address."""
    example = example_of(route)
    body = example.body_in(world) if method is None else None
    response = the_client().generic(
        method or route.method,
        route.url(example.path(world)),
        "" if body is None else json.dumps(body),
        content_type="application/json",
        **HttpHeaders.to_wsgi_names({**example.caller.headers(world), **headers}),
    )
    return Answer(
        response.status_code, json.loads(response.content) if response.content else None, response.get("ETag")
    )


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with standing(django_db_blocker, "acme") as worlds:
        yield worlds[0]


def problems_with(route: Route, world: World) -> Iterator[str]:
    """Say what is wrong with a route that writes."""
    before = ask(route, world, "GET") if route.path in READABLE else None
    if before and not before.tag:
        yield "has no tag when it is read"

    example = example_of(route)
    refused = send(
        route.method,
        route.url(example.path(world)),
        headers={**example.caller.headers(world), "If-Match": STALE},
        body=example.body_in(world),
    )
    tag = refused.headers.get("ETag")
    if refused.status != 412 or refused.changed:
        yield f"took a stale tag: {refused}"
    if before and (refused.json(), tag) != (before.body, before.tag):
        yield "refused without saying how it is"

    taken = ask(route, world, **{"If-Match": f'"other", {tag}'})
    if not 200 <= taken.status < 300:
        yield f"didn't take the current tag: {taken.status} {taken.body}"
    if route.method == "DELETE":
        return
    if not taken.tag:
        yield "has no tag when it was written"
    if before:
        after = ask(route, world, "GET")
        if after.status == 404:  # it has another address now
            return
        if (after.status, after.tag) != (200, taken.tag):
            yield "has another tag when it is read than when it was written"
        if (after.body == before.body) != (after.tag == before.tag):
            yield "has a tag that doesn't follow what is shown"


def undone(route: Route, world: World) -> list[str]:
    with transaction.atomic():
        found = list(problems_with(route, world))
        transaction.set_rollback(True)
    return found


def test_what_was_changed_meanwhile_is_shown_and_left_alone(world):
    found = {str(route): undone(route, world) for route in WRITES}

    assert {route: problems for route, problems in found.items() if problems} == {}
    assert len(WRITES) > 60

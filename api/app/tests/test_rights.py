"""Every route, for everybody, about what is theirs and what is another organisation's.

`app.tests.rights` says what each route asks for, `app.tests.actors` who there is and what they hold: from the
two follows how every request is answered. None that is refused changes a row or shows anything, and
what belongs to others is answered as what doesn't exist.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction

from app.tests.actors import KEYS, MEMBERSHIP, Actor, everybody
from app.tests.examples import ROUTES, example_of
from app.tests.requests import Outcome, send
from app.tests.rights import RIGHTS, SELF, SIGNED_IN, USER, Right
from app.tests.routes import Route, api_routes
from app.tests.world import World, build_world
from core.tests.thoroughness import EVERYTHING

# Without coverage: what is walked through thousands of times has tests of its own.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]

# Who asks about another organisation's things, and looks for a difference to what doesn't exist: one of each
# kind. What a permission is worth that is held elsewhere, all of them together show as well.
ASKING_ELSEWHERE = {
    "a member without rights",
    "a holder of every permission",
    "an administrator of the organisation",
    "an administrator of the project by a role",
    "a former member",
    "staff",
    "a superuser",
    "an admin master key",
    "a scoped master key that administers the project",
    "a client key",
    "a server key",
}

EVERY_KEY = {key for keys in KEYS.values() for key in keys}
WALKED = [route for route in ROUTES if str(route) in RIGHTS and not RIGHTS[str(route)].unwalked]


@dataclass(frozen=True)
class Request:
    """What a route is sent, whoever sends it."""

    route: Route
    path: dict[str, Any]
    query: dict[str, Any]
    body: Any

    def send(self, actor: Actor) -> Outcome:
        url = self.route.url(self.path)
        return send(self.route.method, url, headers=actor.headers, query=self.query, body=self.body)

    @property
    def said(self) -> list[bytes]:
        """The values in it, the longest first."""
        values = {str(value) for value in (*self.path.values(), *self.query.values(), *_values(self.body))}
        return [value.encode() for value in sorted(values, key=len, reverse=True)]


@dataclass(frozen=True)
class Walk:
    """Two organisations with one of everything, and who walks: all the actors of the first one."""

    own: World
    foreign: World
    actors: list[Actor]  # and, last, the other one's administrator
    missing: dict[str, Request]  # of no organisation at all


def request_of(route: Route, world: World) -> Request:
    example, body = example_of(route), example_of(route).body_in(world)
    if isinstance(body, dict):
        left = {name: value for name, value in body.items() if name not in RIGHTS[str(route)].without}
        body = type(body)(left)  # which may be a form
    return Request(route, example.path(world), example.query(world), body)


@pytest.fixture(scope="module")
def walk(django_db_setup, django_db_blocker) -> Iterator[Walk]:
    """Built once for all routes: each request is undone."""
    refusals = logging.getLogger("django.request")
    refusals.setLevel(logging.ERROR)  # thousands are nothing to read
    with django_db_blocker.unblock(), transaction.atomic():
        own, foreign = build_world("ownorg"), build_world("foreignorg")
        for feature in (own.feature, own.multivariate):
            feature.tags.add(own.tag)
        with transaction.atomic():
            nowhere = build_world("nowhere")
            missing = {str(route): request_of(route, nowhere) for route in ROUTES if str(route) in RIGHTS}
            transaction.set_rollback(True)
        actors = [
            *everybody(own),
            _administrator_elsewhere(foreign),
        ]
        connection.check_constraints()
        yield Walk(own, foreign, actors, missing)
        transaction.set_rollback(True)
    refusals.setLevel(logging.NOTSET)


def _administrator_elsewhere(world: World) -> Actor:
    headers = {"Authorization": f"Token {world.token}"}
    return Actor("an administrator of another organisation", headers, frozenset({SIGNED_IN, USER}))


def test_every_route_has_a_line_in_the_table():
    routes = {str(route) for route in api_routes()}

    assert routes - set(RIGHTS) == set()
    assert set(RIGHTS) - routes == set()


@pytest.mark.parametrize("route", WALKED, ids=str)
def test_everybody_may_do_what_the_table_says_and_nothing_else(route, walk, record_property):
    right = RIGHTS[str(route)]
    own, foreign = request_of(route, walk.own), request_of(route, walk.foreign)
    is_about_something = own != foreign and right.is_about_an_object

    asking = _asking(walk.actors, route, right)

    wrong = [
        *_surprises(asking, own, right, walk.own.marker),
        *(_surprises_elsewhere(walk, foreign, right) if is_about_something else ()),
    ]

    elsewhere = 2 * (len(walk.actors) - 1 if EVERYTHING else len(ASKING_ELSEWHERE))
    record_property("combinations", len(asking) + (elsewhere if is_about_something else 0))
    assert not wrong, "\n".join(wrong)


def _asking(actors: list[Actor], route: Route, right: Right) -> list[Actor]:
    """Return who asks: all but three of four of those whose permissions the route doesn't ask about.

    To it they are members like any other. Which of them ask differs from route to route.
    """
    if EVERYTHING:
        return actors
    asked_for = {permission for gate in right.gates for permission in gate.permissions}
    others = [
        actor
        for actor in actors
        if (held := (actor.holds | actor.holds_for_tags) - MEMBERSHIP - {USER, SELF})
        and held <= EVERY_KEY
        and held.isdisjoint(asked_for)
    ]
    left_out = {actor.name for number, actor in enumerate(others) if (number + WALKED.index(route)) % 4}
    return [actor for actor in actors if actor.name not in left_out]


def _surprises(actors: list[Actor], request: Request, right: Right, marker: str) -> Iterator[str]:
    """Yield what is not as the table says about the actors' own organisation."""
    for actor in actors:
        outcome, stopped = request.send(actor), actor.stopped_by(right)
        if stopped:
            yield from _flaws(actor, outcome, stopped.status, marker, request.said)
        elif actor.is_refused:
            pass  # what anybody may see needs no credentials, but may refuse bad ones
        elif actor.is_machine and right.for_machines is not None:
            yield from _flaws(actor, outcome, right.for_machines, marker, request.said)
        elif not outcome.is_success and outcome.status != right.may_answer:
            yield f"{actor.name}: {outcome}, should be let through"


def _surprises_elsewhere(walk: Walk, foreign: Request, right: Right) -> Iterator[str]:
    """Yield what is not as the table says about another organisation, or what isn't there at all."""
    missing = walk.missing[str(foreign.route)]
    for actor in walk.actors[:-1]:
        if not EVERYTHING and actor.name not in ASKING_ELSEWHERE:
            continue
        outcome, stopped = foreign.send(actor), actor.stopped_by(right)
        status = stopped.status if stopped is right.gates[0] else right.status_elsewhere
        for flaw in _flaws(actor, outcome, status, walk.foreign.marker, foreign.said):
            yield f"elsewhere: {flaw}"
        nowhere = missing.send(actor)
        answers = [
            without(each.content, request.said) for each, request in ((outcome, foreign), (nowhere, missing))
        ]
        if outcome.status != nowhere.status or answers[0] != answers[1]:
            yield f"{actor.name}: {outcome} elsewhere, {nowhere} where nothing is"


def _flaws(actor: Actor, outcome: Outcome, status: int, marker: str, said: list[bytes]) -> Iterator[str]:
    """Yield what is wrong with a refusal."""
    if outcome.status != status:
        yield f"{actor.name}: {outcome}, should be {status}"
    if outcome.changed:
        yield f"{actor.name}: {outcome}"
    if marker.encode() in without(outcome.content, said):
        yield f"{actor.name}: is shown {outcome.content[:200]!r}"


def _values(body: Any) -> Iterator[Any]:
    if isinstance(body, dict | list):
        for each in body.values() if isinstance(body, dict) else body:
            yield from _values(each)
    else:
        yield body


def without(content: bytes, said: list[bytes]) -> bytes:
    """Return an answer without what its request said."""
    for each in said:
        content = content.replace(each, b"")
    return content

"""Master keys on every route: what people do in their own name, no machine does; the rest works as for them.

Every route takes part, from the table of examples: a route without an example fails
`test_malformed_input.test_every_route_has_an_example`.
"""

import re
from collections.abc import Iterator

import pytest
from django.db.models import Model
from rest_framework.authtoken.models import Token

from app.tests.examples import ROUTES, Caller, example_of
from app.tests.requests import Outcome, send
from app.tests.routes import Route
from app.tests.standing import standing
from app.tests.world import World
from audit.models import AuditRecord
from organisations.models import MemberRole
from organisations.tests.factories import machine_client
from users.models import User
from users.tests.factories import make_user

# What administrators may do and their organisation's key may not, and how that is refused.
FOR_PEOPLE = [
    (r"\w+ /api/v1/auth/.*", 403),
    (r"\w+ /api/v1/users/join/.*", 403),
    (r"GET /api/v1/user/?", 401),
    (r"POST /api/v1/organisations/", 403),
    (r"\w+ /api/v1/organisations/{organisation_pk}/master-api-keys/({prefix}/)?", 401),
    (r"GET .*/my-permissions/", 400),
    (r"POST .*/change-requests/{pk}/approve/", 403),
]
FOR_USERS = [route for route in ROUTES if example_of(route).caller in {Caller.ADMIN, Caller.MEMBER}]


# Without coverage: what is walked through thousands of times has tests of its own.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with standing(django_db_blocker, "acme") as (world,):
        yield world


def colleague_in(world: World) -> User:
    """Return a member to whom nothing was granted, and whom no example names."""
    colleague = make_user()
    world.organisation.memberships.create(user=colleague, role=MemberRole.USER)
    return colleague


def sent_with(authorization: str, route: Route, world: World) -> Outcome:
    example = example_of(route)
    return send(
        route.method,
        route.url(example.path(world)),
        headers={**example.caller.headers(world), "Authorization": authorization},
        query=example.query(world),
        body=example.body_in(world),
    )


def refusal_of(route: Route) -> int | None:
    return next((status for pattern, status in FOR_PEOPLE if re.fullmatch(pattern, str(route))), None)


@pytest.mark.parametrize("route", FOR_USERS, ids=str)
def test_a_key_does_what_a_person_in_its_place_does(route, world):
    token = Token.objects.create(user=colleague_in(world))

    of_administrator = sent_with(f"Token {world.token}", route, world)
    of_administrators_key = sent_with(f"Api-Key {world.master_key.secret}", route, world)
    of_plain_member = sent_with(f"Token {token.key}", route, world)
    of_key_without_roles = sent_with(f"Api-Key {world.scoped_key.secret}", route, world)

    if expected := refusal_of(route):
        assert of_administrators_key.status == expected, of_administrators_key
        assert of_key_without_roles.is_refusal, of_key_without_roles
    else:
        assert of_administrators_key.status == of_administrator.status, of_administrators_key
        assert of_key_without_roles.status == of_plain_member.status, of_key_without_roles
    assert not of_administrators_key.changed
    assert not of_key_without_roles.changed


@pytest.mark.parametrize("route", [each for each in ROUTES if each not in FOR_USERS], ids=str)
def test_where_no_user_is_asked_for_a_key_does_no_harm(route, world):
    without, outcome = (
        sent_with("", route, world),
        sent_with(f"Api-Key {world.master_key.secret}", route, world),
    )

    assert outcome.status == without.status, (outcome, without)


def test_what_a_machine_did_is_recorded_with_its_key(world):
    client = machine_client(world.master_key)
    before = set(AuditRecord.objects.values_list("pk", flat=True))

    client.post("/api/v1/environments/", {"name": "Staging", "project": world.project.pk}, format="json")
    client.post(
        f"/api/v1/projects/{world.project.pk}/features/",
        {"name": "dark_mode", "initial_value": "1"},
        format="json",
    )

    records = AuditRecord.objects.exclude(pk__in=before)
    assert len(records) >= 3
    assert {
        (each.author, each.master_key, each.master_key_name, each.is_system_event)
        for each in records.select_related("author", "master_key")
    } == {(None, world.master_key, "acme master key", False)}


def test_a_record_keeps_the_name_of_a_key_that_is_gone(world):
    client = machine_client(world.master_key)
    client.put(
        f"/api/v1/environments/{world.environment.api_key}/",
        {"name": "Renamed", "project": world.project.pk},
        format="json",
    )
    record = AuditRecord.objects.get(master_key=world.master_key)

    Model.delete(world.master_key)  # the row itself, past the deletion that keeps it

    record.refresh_from_db()
    assert record.master_key_name == "acme master key"

"""Master keys on every route: what people do in their own name, no machine does; the rest works as for them.

Every route takes part, from the table of examples: a route without an example fails
`test_malformed_input.test_every_route_has_an_example`.
"""

import re

import pytest
from django.db import connection
from django.db.models import Model

from app.tests.examples import ROUTES, Caller, example_of
from app.tests.requests import Outcome, send
from app.tests.routes import Route
from app.tests.world import World, build_world
from audit.models import AuditRecord
from organisations.models import MasterKey
from organisations.tests.factories import machine_client

# What administrators may do and their organisation's key may not, and how that is refused.
FOR_PEOPLE = [
    (r"\w+ /api/v1/auth/.*", 403),
    (r"\w+ /api/v1/users/join/.*", 403),
    (r"GET /api/v1/user/?", 401),
    (r"POST /api/v1/organisations/", 403),
    (r"\w+ /api/v1/organisations/{organisation_pk}/master-api-keys/({prefix}/)?", 401),
    (r"GET .*/my-permissions/", 400),
]
# What members of an organisation may who were granted nothing.
FOR_MEMBERS = {
    "GET /api/v1/organisations/",
    "GET /api/v1/organisations/get-by-uuid/{uuid}/",
    "GET /api/v1/organisations/permissions/",
    "GET /api/v1/organisations/{organisation_pk}/projects/",
    "GET /api/v1/organisations/{organisation_pk}/users/",
    "GET /api/v1/projects/",
    "GET /api/v1/projects/permissions/",
    "GET /api/v1/environments/",
    "GET /api/v1/environments/permissions/",
}
# Where a refusal says that there is nothing of that kind, as it does of what was never there.
UNKNOWN = {"POST /api/v1/features/feature-segments/update-priorities/": 400}
FOR_ADMINISTRATORS = [route for route in ROUTES if example_of(route).caller is Caller.ADMIN]


@pytest.fixture
def world(db) -> World:
    world = build_world("acme")
    connection.check_constraints()  # runs what waits for a commit, or a request would seem to have done it
    return world


def sent_with(key: MasterKey, route: Route, world: World) -> Outcome:
    example = example_of(route)
    return send(
        route.method,
        route.url(example.path(world)),
        headers={**example.caller.headers(world), "Authorization": f"Api-Key {key.secret}"},
        query=example.query(world),
        body=example.body_in(world),
    )


def refusal_of(route: Route) -> int | None:
    return next((status for pattern, status in FOR_PEOPLE if re.fullmatch(pattern, str(route))), None)


@pytest.mark.parametrize("route", FOR_ADMINISTRATORS, ids=str)
def test_an_administrators_key_does_what_an_administrator_does(route, world):
    outcome = sent_with(world.master_key, route, world)

    expected = refusal_of(route)
    assert outcome.is_success if expected is None else outcome.status == expected, outcome
    assert not outcome.changed


@pytest.mark.parametrize("route", FOR_ADMINISTRATORS, ids=str)
def test_a_key_without_roles_does_what_a_member_without_permissions_does(route, world):
    outcome = sent_with(world.scoped_key, route, world)

    if str(route) in FOR_MEMBERS:
        assert outcome.is_success, outcome
    else:
        assert outcome.status in {refusal_of(route), UNKNOWN.get(str(route)), 403, 404}, outcome
        assert not outcome.changed


@pytest.mark.parametrize("route", [each for each in ROUTES if each not in FOR_ADMINISTRATORS], ids=str)
def test_where_no_user_is_asked_for_a_key_does_no_harm(route, world):
    outcome = sent_with(world.master_key, route, world)

    assert outcome.is_success, outcome


def test_what_a_machine_did_is_recorded_with_its_key(world):
    client = machine_client(world.master_key)
    AuditRecord.objects.all().delete()

    client.post("/api/v1/environments/", {"name": "Staging", "project": world.project.pk}, format="json")
    client.post(
        f"/api/v1/projects/{world.project.pk}/features/",
        {"name": "dark_mode", "initial_value": "1"},
        format="json",
    )

    assert AuditRecord.objects.count() >= 3
    assert {
        (each.author, each.master_key, each.master_key_name, each.is_system_event)
        for each in AuditRecord.objects.select_related("author", "master_key")
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

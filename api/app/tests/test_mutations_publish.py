"""Whatever anyone may change: where SDKs are answered otherwise than before, revision and ETag say so.

Every route that changes something takes part, from the table of examples: a route without an example fails
`test_malformed_input.test_every_route_has_an_example`.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pgtrigger
import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.http.request import HttpHeaders

from app.tests.examples import WORKING, Caller, example_of
from app.tests.forms import encoded
from app.tests.requests import the_client
from app.tests.routes import Route
from app.tests.world import World, build_world
from environments.models import EnvironmentRevision
from environments.revisions import published_revisions

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = pytest.mark.no_cover

MUTATIONS = [route for route in WORKING if route.method in {"POST", "PUT", "PATCH", "DELETE"}]


@dataclass(frozen=True)
class Read:
    """Something that an SDK asks.

    Attributes:
        shows: what of the answer depends on the environment alone.
    """

    caller: Caller
    method: str
    path: str
    body: Callable[[World], Any] = lambda world: None
    shows: Callable[[Any], Any] = lambda answer: answer


def member_of_the_segment(world: World) -> dict[str, Any]:
    """Somebody who has an override, and whose traits are as given whatever is stored."""
    condition = {"trait_key": f"{world.marker} trait", "trait_value": f"{world.marker} condition"}
    return {"identifier": world.identity.identifier, "transient": True, "traits": [condition]}


def context_of_a_member(world: World) -> dict[str, Any]:
    """The same, as OpenFeature's providers ask."""
    condition = {f"{world.marker} trait": f"{world.marker} condition"}
    return {"context": {"targetingKey": world.identity.identifier, **condition}}


# What SDKs read. Further ways to read flags go here.
READS = [
    Read(Caller.CLIENT_KEY, "GET", "/api/v1/flags/"),
    Read(Caller.SERVER_KEY, "GET", "/api/v1/flags/"),
    Read(Caller.SERVER_KEY, "GET", "/api/v1/environment-document/"),
    Read(
        Caller.SERVER_KEY,
        "POST",
        "/api/v1/identities/",
        body=member_of_the_segment,
        shows=lambda answer: answer.get("flags", answer),
    ),
    Read(
        Caller.SERVER_KEY,
        "POST",
        "/ofrep/v1/evaluate/flags",
        body=context_of_a_member,
        shows=lambda answer: answer.get("flags", answer),
    ),
]


@dataclass(frozen=True)
class Served:
    status: int
    shown: Any
    etag: str | None


@dataclass(frozen=True)
class Moment:
    """What SDKs are served, which revision that is, and which one whoever changed something is told of."""

    answers: list[Served]
    revision: EnvironmentRevision
    told: int | None

    @classmethod
    def of(cls, world: World) -> "Moment":
        connection.check_constraints()  # as a commit does: now the revisions are raised
        told = published_revisions().get(world.environment.pk)
        return cls(
            [served(world, read) for read in READS],
            EnvironmentRevision.objects.get(environment_id=world.environment.pk),
            told,
        )


def served(world: World, read: Read) -> Served:
    body = json.dumps(read.body(world))
    response = _ask(read.method, read.path, body, "application/json", read.caller.headers(world))
    return Served(response.status_code, read.shows(json.loads(response.content)), response.get("ETag"))


def _ask(
    method: str, path: str, body: bytes | str, content_type: str, headers: dict[str, str]
) -> HttpResponse:
    client = the_client()
    client.cookies.clear()
    given = HttpHeaders.to_wsgi_names(headers)
    return client.generic(method, path, body, content_type=content_type, **given)  # type: ignore[arg-type]


@contextmanager
def performed(route: Route, world: World) -> Iterator[None]:
    """Send the route's example, and undo it in the end."""
    example = example_of(route)
    with transaction.atomic():
        data, content_type = encoded(example.body_in(world))
        url = route.url(example.path(world))
        response = _ask(route.method, url, data, content_type, example.caller.headers(world))
        assert 200 <= response.status_code < 300, (str(route), response.content)
        yield
        transaction.set_rollback(True)


def walk(world: World) -> tuple[set[str], list[str]]:
    """Return which routes have changed what SDKs are served, and which of them didn't publish it."""
    before = Moment.of(world)
    changing, silent = set(), []
    for route in MUTATIONS:
        with performed(route, world):
            after = Moment.of(world)
            differing = [
                (old, new)
                for old, new in zip(before.answers, after.answers, strict=True)
                if (old.status, old.shown) != (new.status, new.shown)
            ]
        if differing:
            changing.add(str(route))
            published = (
                after.revision.revision > before.revision.revision
                and after.revision.nonce != before.revision.nonce
                and after.told == after.revision.revision
                and all(old.etag != new.etag for old, new in differing if old.etag)
            )
            if not published:
                silent.append(str(route))
    return changing, silent


def run_sql(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def world(db) -> World:
    return build_world("acme")


def test_whatever_changes_an_answer_changes_its_etag(world):
    changing, silent = walk(world)

    assert silent == []
    # That the walk sees changes at all, of each kind of object.
    assert {
        "POST /api/v1/projects/{project_pk}/features/",
        "PUT /api/v1/projects/{project_pk}/segments/{pk}/",
        "PUT /api/v1/environments/{environment_key}/",
        "PUT /api/v1/environments/{environment_key}/featurestates/{pk}/",
        "DELETE /api/v1/environments/{environment_key}/identities/{identity_pk}/featurestates/{pk}/",
        "DELETE /api/v1/features/feature-segments/{pk}/",
        "DELETE /api/v1/environments/{environment_key}/api-keys/{pk}/",
        "DELETE /api/v1/projects/{pk}/",
        "DELETE /api/v1/organisations/{organisation_pk}/",
    } <= changing


@pytest.mark.parametrize(
    ("app", "route"),
    [
        ("environments", "PATCH /api/v1/environments/{environment_key}/"),
        ("features", "PUT /api/v1/features/featurestates/{pk}/"),
        ("segments", "PUT /api/v1/projects/{project_pk}/segments/{pk}/"),
    ],
)
def test_tables_that_did_not_publish_would_be_found(world, monkeypatch, app, route):
    monkeypatch.setattr(f"{__name__}.MUTATIONS", [each for each in MUTATIONS if str(each) == route])
    connection.check_constraints()  # a table that something is still to be done to can't be altered
    for model, trigger in pgtrigger.registered():
        if model._meta.app_label == app and str(trigger.name).startswith("publish_"):
            run_sql(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER {trigger.get_pgid(model)}")

    _, silent = walk(world)

    assert silent == [route]

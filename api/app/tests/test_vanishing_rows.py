"""What a request is about is deleted by somebody else while the request is at work: never a fault of ours.

From the table of examples. What the address names vanishes just before each statement that locks or writes
something, as long as it isn't locked yet: from then on others would have to wait.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.urls import resolve

from app.tests.examples import WORKING, Caller, example_of
from app.tests.requests import send
from app.tests.routes import Route
from app.tests.standing import standing
from app.tests.world import World
from environments.models import Environment
from features.models import Feature
from identities.models import Identity
from organisations.models import Group, MasterKey, Organisation
from permissions.models import Role
from projects.models import Project
from segments.models import Segment
from users.models import User

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]

NAMED: dict[str, tuple[Any, str]] = {
    "environment_key": (Environment, "api_key"),
    "feature_pk": (Feature, "pk"),
    "group_pk": (Group, "pk"),
    "identity_pk": (Identity, "pk"),
    "organisation_pk": (Organisation, "pk"),
    "prefix": (MasterKey, "prefix"),
    "project_pk": (Project, "pk"),
    "role_pk": (Role, "pk"),
    "segment_pk": (Segment, "pk"),
    "user_id": (User, "pk"),
    "user_pk": (User, "pk"),
}
WRITES = [
    route
    for route in WORKING
    if route.method != "GET"
    and route.parameters
    and example_of(route).caller in {Caller.ADMIN, Caller.MEMBER}
]
# The others change the same object behind the same lock.
WRITES = [each for each in WRITES if each.method in {"POST", "PUT"} or Route(each.path, "PUT") not in WRITES]

_READING = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
_LOCKING = re.compile(r'FROM "?(\w+)"?.* FOR (NO KEY UPDATE|UPDATE|SHARE)', re.DOTALL)


def named_by(route: Route, world: World) -> Iterator[QuerySet[Any]]:
    """Yield the rows that a route's address names, each as it is deleted."""
    path = example_of(route).path(world)
    view = resolve(route.url(path)).func
    # What something is in matters where something is made; else the thing itself is there to be locked.
    for name, value in path.items() if route.method == "POST" else list(path.items())[-1:]:
        model, field = NAMED.get(name, (None, ""))
        queryset = getattr(getattr(view, "cls", None), "queryset", None)
        if model is None and name == "pk" and queryset is not None:
            model, field = queryset.model, "pk"
        if model is not None and model.objects.filter(**{field: value}).exists():
            yield model.objects.filter(**{field: value})


@contextmanager
def vanishing(rows: QuerySet[Any], moment: int) -> Iterator[list[bool]]:
    """Delete `rows` before one of the statements that lock or write; tell whether it came to that one."""
    table = rows.model._meta.db_table
    deleted: list[bool] = []
    passed = [0]

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        locking = _LOCKING.search(sql)
        if deleted or passed[0] < 0 or not (locking or not sql.startswith(_READING)):
            return execute(sql, *rest)
        if passed[0] == moment:
            deleted.append(True)
            rows.all().delete()
        # Locked from here on, or written: now others wait for the end of the transaction.
        passed[0] = -1 if not locking or locking[1] == table else passed[0] + 1
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield deleted


def problems_with(route: Route, world: World) -> Iterator[str]:
    example = example_of(route)
    url, headers, body = (
        route.url(example.path(world)),
        example.caller.headers(world),
        example.body_in(world),
    )
    for rows in named_by(route, world):
        for moment in range(4):
            with vanishing(rows, moment) as deleted:
                outcome = send(route.method, url, headers=headers, body=body)
            if not deleted:
                break
            # 401, 403: what is gone was the caller, or why they might do this.
            if not (outcome.is_success or outcome.status in {400, 401, 403, 404, 409}) or (
                outcome.is_refusal and outcome.changed
            ):
                yield f"{rows.model.__name__} gone at {moment}: {outcome}"


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with standing(django_db_blocker, "acme") as worlds:
        yield worlds[0]


def test_what_vanishes_under_a_writer_is_refused_cleanly(world):
    found = {str(route): list(problems_with(route, world)) for route in WRITES}

    assert {route: problems for route, problems in found.items() if problems} == {}
    assert len(WRITES) > 60

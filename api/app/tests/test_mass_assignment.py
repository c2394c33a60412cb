"""Every route that writes is sent every field of every model, at every depth of its body.

What the OpenAPI document doesn't name as part of the request must change nothing: the rows afterwards
are those of the request without it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import models, transaction
from rest_framework.test import APIClient

from app.tests.examples import WORKING, example_of
from app.tests.mutations import Path, field, leaves, replaced
from app.tests.openapi import request_fields
from app.tests.routes import Route
from app.tests.standing import standing
from app.tests.world import World
from projects.serializers.projects import TagSerializer

TEXT, NUMBER, INSTANT = "smuggled", 987_654_321, "1999-12-31T23:59:59Z"
SMUGGLED_UUID = "00000000-dead-4bad-8bad-0000000000ff"
SMUGGLED = (TEXT, str(NUMBER), "1999-12-31", SMUGGLED_UUID)

# Their bodies are data under names of the caller's choosing, which no model has, or a file that is kept.
FREE = {
    "POST /api/v1/analytics/flags/",
    "POST /ofrep/v1/evaluate/flags",
    "POST /ofrep/v1/evaluate/flags/{key}",
    "POST /api/v1/features/feature-import/{environment_pk}",
}
WRITING = [route for route in WORKING if route.has_body and example_of(route).body and str(route) not in FREE]
# The log of sign-ins, and what waits to be published: they say that there was a request.
NOTES = {"axes", "environments.touch"}
MODELS = [
    model
    for model in apps.get_models()
    if not NOTES & {model._meta.app_label, model._meta.label_lower} and not model._meta.proxy
]
# What differs whenever a request is sent anew.
VOLATILE = (models.DateField, models.UUIDField, models.AutoField)
VOLATILE_NAMES = {"password", "key", "nonce", "number"}


# Without coverage: what is walked through thousands of times has tests of its own.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


@pytest.fixture(scope="module")
def worlds(django_db_setup, django_db_blocker) -> Iterator[list[World]]:
    with standing(django_db_blocker, "ownorg", "foreignorg") as worlds:
        yield worlds


@pytest.fixture
def own(worlds) -> World:
    return worlds[0]


@pytest.fixture
def foreign(worlds) -> World:
    return worlds[1]


@pytest.mark.parametrize("route", WRITING, ids=str)
def test_only_declared_fields_change(route, own, foreign):
    assert smuggled_by(route, own, foreign) == {}


def test_a_serializer_that_takes_what_it_does_not_declare_is_found(monkeypatch, own, foreign):
    def careless(self, data: Any) -> Any:
        return {name: data[name] for name in ("label", "is_system_tag") if name in data}

    monkeypatch.setattr(TagSerializer, "to_internal_value", careless)

    found = smuggled_by(Route("/api/v1/projects/{project_pk}/tags/{pk}/", "PATCH"), own, foreign)

    assert list(found) == ["projects.Tag"]


def smuggled_by(route: Route, own: World, foreign: World) -> dict[str, Counter]:
    """Return the rows, by model, that are there because undeclared fields were sent, too."""
    body, declared = example_of(route).body_in(own), request_fields(route)
    known = {model: set(model._base_manager.values_list("pk", flat=True)) for model in MODELS}

    plain_status, plain = after(route, own, body, known)
    status, changed = after(route, own, with_everything(body, declared, foreign), known)

    assert 200 <= plain_status < 300, plain_status
    assert status == plain_status
    return {name: changed[name] - plain[name] for name in plain if changed[name] != plain[name]}


def with_everything(body: Any, declared: set[str], foreign: World) -> Any:
    """Return the body with all fields of all models in each of its objects that don't declare them."""
    containers = [((), body), *((path, value) for path, value in leaves(body) if isinstance(value, dict))]
    for path, value in reversed(containers):  # the inner ones first
        if isinstance(value, dict):
            inside = f"{field(path)}." if field(path) else ""
            current = _value_at(body, path)
            extra = {
                name: smuggled
                for name, smuggled in everything(foreign).items()
                if f"{inside}{name}" not in declared and name not in current
            }
            body = replaced(body, path, {**extra, **current}) if path else {**extra, **current}
    return body


def everything(foreign: World) -> dict[str, Any]:
    """Return a value for each field of each model: of another organisation, where it names something."""
    theirs = {type(value): value.pk for value in vars(foreign).values() if isinstance(value, models.Model)}
    values: dict[str, Any] = {}
    for model in MODELS:
        for each in model._meta.get_fields():
            value = _smuggled(each, theirs)
            values.setdefault(each.name, value)
            values.setdefault(getattr(each, "attname", each.name), value)
    return values


def _smuggled(field: Any, theirs: dict[Any, Any]) -> Any:
    if field.is_relation:
        related = theirs.get(field.related_model, NUMBER)
        return [related] if field.many_to_many or field.one_to_many else related
    if isinstance(field, models.BooleanField):
        return not field.get_default()
    if isinstance(field, models.DateField):
        return INSTANT
    if isinstance(field, models.UUIDField):
        return SMUGGLED_UUID
    if isinstance(field, models.IntegerField | models.FloatField | models.DecimalField):
        return NUMBER
    if isinstance(field, models.JSONField):
        return {TEXT: []}
    return TEXT


def after(route: Route, own: World, body: Any, known: dict[Any, set[Any]]) -> tuple[int, dict[str, Counter]]:
    """Send a request, return its status and all rows that are there then, and undo it."""
    example = example_of(route)
    client = APIClient(raise_request_exception=False, headers=example.caller.headers(own))
    with transaction.atomic():
        response = client.generic(
            route.method,
            route.url(example.path(own)),
            json.dumps(body, default=str).encode(),  # type: ignore[arg-type]
            content_type="application/json",
        )
        rows = {model._meta.label: Counter(_rows(model, known)) for model in MODELS}
        transaction.set_rollback(True)
    return response.status_code, rows


def _rows(model: Any, known: dict[Any, set[Any]]) -> Iterator[str]:
    """Yield the rows without what is new at every time, unless it was smuggled in."""
    fields = model._meta.concrete_fields
    for row in model._base_manager.values_list(*(each.attname for each in fields)):
        shown = {each.attname: _shown(each, value, known) for each, value in zip(fields, row, strict=True)}
        yield json.dumps(shown, default=str, sort_keys=True)


def _shown(field: Any, value: Any, known: dict[Any, set[Any]]) -> Any:
    if any(each in str(value) for each in SMUGGLED):
        return value
    if field.is_relation:
        return value if value is None or value in known.get(field.related_model, ()) else "new"
    if field.primary_key:
        return value if value in known[field.model] else "new"
    if field.name in VOLATILE_NAMES or isinstance(field, VOLATILE) or callable(field.default):
        return value is None
    return None if isinstance(value, datetime | date | UUID) else value


def _value_at(body: Any, path: Path) -> Any:
    for part in path:
        body = body[part]
    return body

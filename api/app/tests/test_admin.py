"""Every page of /admin/ opens, and none grows with the number of rows."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.authtoken.models import TokenProxy

from analytics.models import Resource
from analytics.services import Batch, add_evaluations, add_requests
from app.tests.standing import standing
from app.tests.world import World, build_world
from integrations.models import Integration
from operations.models import TableSize
from tasks.models import Job, RecurringTask
from users.models import User

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
# Django's and the libraries' own: not ours to fill.
OURS = [model for model in MODELS if not model.__module__.startswith(("django.", "axes.", "rest_framework."))]


@pytest.fixture
def superuser_client(client: Client, db) -> Client:
    client.force_login(User.objects.create_superuser("root@example.org", "a long password"))
    return client


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    """At least one row of every model."""
    with standing(django_db_blocker, "acme") as (world,):
        add_what_no_world_has(world)
        yield world


def add_what_no_world_has(world: World) -> None:
    marker, environment_id, client = world.marker, world.environment.pk, f"{world.marker}\t\t"
    writes = [
        add_requests([((environment_id, 0, Resource.FLAGS, client), 1)], Batch(uuid4(), 1)),
        add_evaluations([((environment_id, 0, world.feature.name, "kim", True), 1)]),
    ]
    with connection.cursor() as cursor:
        for statement in writes:
            cursor.execute(*statement)
    Job.objects.create(task=f"tests.{marker}", arguments={"of": marker}, most_attempts=3)
    RecurringTask.objects.create(
        name=f"tests.{marker}", every=timedelta(days=1), next_due_at="2026-01-01T00:00Z"
    )
    Integration.objects.create(kind="heap", environment=world.environment, secrets={"api_key": marker})
    TableSize.objects.create(table=marker, bytes=1, rows=1)
    connection.check_constraints()  # which raises the revisions, as a commit would


def page_of(model: Any, page: str, *arguments: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def statements_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as statements:
        response = client.get(path)
    assert response.status_code == 200, path
    return len(statements)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_list_opens(world, superuser_client, model):
    answers = {
        query: superuser_client.get(page_of(model, "changelist") + query, follow=True).status_code
        for query in ("", "?q=acme", "?q=%00", "?o=-1")
    }

    assert set(answers.values()) == {200}, answers


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_page_for_adding_opens_and_lists_no_rows_to_choose_from(world, superuser_client, model):
    request = RequestFactory().get("/")
    request.user = User.objects.get(email="root@example.org")
    may_add = admin.site._registry[model].has_add_permission(request)

    response = superuser_client.get(page_of(model, "add"))

    assert response.status_code == (200 if may_add else 403)
    assert "acme" not in response.content.decode(), "Use autocomplete_fields: a select would list every row."


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_the_page_for_changing_opens(world, superuser_client, model):
    row = model._default_manager.first()

    assert row is not None, f"Let app.tests.world.build_world make a {model.__name__}."
    assert superuser_client.get(page_of(model, "change", row.pk)).status_code == 200


def test_longer_lists_take_no_more_statements(world, superuser_client):
    lists = {model._meta.label: page_of(model, "changelist") for model in OURS}
    for path in lists.values():
        superuser_client.get(path)
    with_one = {label: statements_of(superuser_client, path) for label, path in lists.items()}
    for number in range(9):
        add_what_no_world_has(build_world(f"other{number}"))

    with_ten = {label: statements_of(superuser_client, path) for label, path in lists.items()}

    assert {label: taken for label, taken in with_ten.items() if taken > with_one[label]} == {}


def test_the_list_of_tokens_shows_none(world, superuser_client):
    page = superuser_client.get(page_of(TokenProxy, "changelist")).content.decode()

    assert "acme@example.org" in page
    assert world.token not in page

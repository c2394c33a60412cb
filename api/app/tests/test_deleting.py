"""What is deleted takes with it what the table says, and nothing else. The table is what people read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.http.request import HttpHeaders

from app.tests.deletions import ALONE, DELETIONS, SAME, Deletion, table
from app.tests.examples import EXAMPLES
from app.tests.requests import the_client
from app.tests.routes import Route, api_routes
from app.tests.standing import standing
from app.tests.world import World
from features.models import FeatureSegment, MultivariateOption
from projects.models import Tag

pytestmark = pytest.mark.django_db

PAGE = Path(settings.REPOSITORY_DIR) / "docs" / "deleting.md"


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with standing(django_db_blocker, "acme") as worlds:
        yield worlds[0]


def shown_rows() -> dict[str, set[Any]]:
    """Return what isn't deleted, by model. Jobs come and go by themselves."""
    own = [each for each in apps.get_models(include_auto_created=True) if each._meta.app_label != "tasks"]
    return {
        model._meta.label: set(undeleted_rows(model).values_list("pk", flat=True))
        for model in own
        if not model._meta.auto_created
    }


def undeleted_rows(model: Any) -> models.QuerySet[Any]:
    """Return all that isn't deleted: of features also drafts, which the usual manager doesn't show."""
    rows = every_row(model._meta.label)
    return rows.filter(deleted_at__isnull=True) if hasattr(model, "all_objects") else rows


def delete(path: str, world: World, **named: Any) -> Any:
    example = EXAMPLES[f"DELETE {path}"]
    body = example.body_in(world)
    return the_client().delete(
        Route(path, "DELETE").url({**example.path(world), **named}),
        "" if body is None else json.dumps(body),
        content_type="application/json",
        **HttpHeaders.to_wsgi_names(example.caller.headers(world)),
    )


def lost_by(path: str, world: World, **named: Any) -> dict[str, set[Any]]:
    """Return what is no longer there when something is deleted, which is undone then."""
    EXAMPLES[f"DELETE {path}"].caller.headers(world)  # makes a token
    before = shown_rows()
    with transaction.atomic():
        assert delete(path, world, **named).status_code == 204, path
        after = shown_rows()
        kept = {
            label: keys & set(every_row(label).values_list("pk", flat=True))
            for label, keys in before.items()
            if keys - after[label]
        }
        transaction.set_rollback(True)
    return {label: before[label] - after[label] for label in kept} | {
        f"{label} marked": keys - after[label] for label, keys in kept.items() if keys - after[label]
    }


def every_row(label: str) -> models.QuerySet[Any]:
    model = apps.get_model(label)
    return getattr(model, "all_objects", model._default_manager).all()


@pytest.mark.parametrize("deletion", DELETIONS, ids=lambda each: each.object)
def test_deleting_takes_along_what_the_table_says(world, deletion: Deletion):
    lost = lost_by(deletion.path, world, **deletion.named(world))

    models_lost = {label for label in lost if not label.endswith(" marked")}
    assert models_lost == {deletion.model} | deletion.models
    assert (f"{deletion.model} marked" in lost) is deletion.is_marked


def test_what_stands_alone_takes_nothing_along(world):
    lost = {path: set(lost_by(path, world)) for path in ALONE}

    assert lost == {
        path: {model} - {None} | ({"authtoken.TokenProxy"} if model == "authtoken.Token" else set())
        for path, model in ALONE.items()
    }


def test_every_route_that_deletes_is_in_the_table_which_people_read():
    routes = {
        route.path
        for route in api_routes()
        if route.method == "DELETE" and "/api/v1/" in route.path and not EXAMPLES[str(route)].is_refused
    }

    assert routes == {each.path for each in DELETIONS} | ALONE.keys() | SAME
    assert table() in PAGE.read_text(), f"docs/deleting.md should have:\n{table()}"


def test_a_tag_of_the_system_stays(world):
    Tag.objects.filter(pk=world.tag.pk).update(is_system_tag=True)

    refused = delete("/api/v1/projects/{project_pk}/tags/{pk}/", world)

    assert (refused.status_code, refused.json()) == (400, {"message": "Cannot delete a system tag."})


def test_what_is_marked_is_kept_whole(world):
    delete("/api/v1/projects/{project_pk}/features/{pk}/", world, pk=world.multivariate.pk)

    assert MultivariateOption.objects.filter(feature=world.multivariate).exists()
    assert not FeatureSegment.objects.filter(feature=world.multivariate).exists()

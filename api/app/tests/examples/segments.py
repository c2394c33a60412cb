"""Segments."""

from typing import Any

from app.tests.examples.example import Example
from app.tests.examples.metadata import value_of
from app.tests.world import World

ALL = "/api/v1/projects/{project_pk}/segments/"
ONE = f"{ALL}{{pk}}/"


def project(world: World) -> dict[str, Any]:
    return {"project_pk": world.project.pk}


def segment(world: World) -> dict[str, Any]:
    return {**project(world), "pk": world.segment.pk}


def wanted(world: World) -> dict[str, Any]:
    condition = {
        "operator": "EQUAL",
        "property": "country",
        "value": "FR",
        "description": "France",
        "delete": False,
    }
    nested = {"type": "ANY", "conditions": [condition], "rules": [], "delete": False}
    return {
        "name": "Beta in France",
        "description": "small",
        "feature": world.feature.pk,
        "metadata": value_of("segment", world),
        "rules": [{"type": "ALL", "conditions": [condition], "rules": [nested], "delete": False}],
    }


TEXT = frozenset(
    {
        "name",
        "description",
        "metadata.field_value",
        "rules.conditions.value",
        "rules.conditions.property",
        "rules.rules.conditions.description",
    }
)
# Values of conditions are stored as text, whatever they are.
VALUES = frozenset({"rules.conditions.value", "rules.rules.conditions.value"})

EXAMPLES = {
    f"GET {ALL}": Example(path=project),
    f"POST {ALL}": Example(path=project, body=wanted, text=TEXT, takes_anything=VALUES),
    f"GET {ONE}": Example(path=segment),
    f"PUT {ONE}": Example(path=segment, body=wanted, text=TEXT, takes_anything=VALUES),
    f"PATCH {ONE}": Example(path=segment, body=wanted, text=TEXT, takes_anything=VALUES),
    f"DELETE {ONE}": Example(path=segment),
    f"POST {ONE}clone/": Example(path=segment, body=lambda world: {"name": "Copy"}, text=frozenset({"name"})),
    "GET /api/v1/segments/get-by-uuid/{uuid}/": Example(path=lambda world: {"uuid": world.segment.uuid}),
}

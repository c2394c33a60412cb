"""Custom fields."""

from typing import Any

from app.tests.examples.example import Example
from app.tests.world import World
from metadata.kinds import content_type_of

FIELDS = "/api/v1/metadata/fields/"
OF_PROJECT = "/api/v1/projects/{project_pk}/metadata/fields/"
ATTACHMENTS = "/api/v1/organisations/{organisation_pk}/metadata-model-fields/"
TEXT = frozenset({"name", "description"})


def value_of(kind: str, world: World) -> list[dict[str, Any]]:
    """Return the values of custom fields that an entity's body may have."""
    return [{"model_field": world.attachments[kind].pk, "field_value": "text"}]


def field_in(world: World) -> dict[str, Any]:
    return {"pk": world.custom_field.pk}


def in_organisation(world: World) -> dict[str, Any]:
    return {"organisation_pk": world.organisation.pk}


def in_project(world: World) -> dict[str, Any]:
    return {"project_pk": world.project.pk}


def attachment_in(world: World) -> dict[str, Any]:
    return {**in_organisation(world), "pk": world.attachments["feature"].pk}


def definition(world: World) -> dict[str, Any]:
    return {
        "name": "Ticket",
        "type": "str",
        "description": "Where it was decided",
        "organisation": world.organisation.pk,
        "project": world.project.pk,
    }


def attached(world: World) -> dict[str, Any]:
    return {**newly_attached(world), "field": world.custom_field.pk}


def newly_attached(world: World) -> dict[str, Any]:
    return {
        "field": world.project_field.pk,
        "content_type": content_type_of("feature").pk,
        "is_required_for": [
            {"content_type": content_type_of("organisation").pk, "object_id": world.organisation.pk},
            {"content_type": content_type_of("project").pk, "object_id": world.project.pk},
        ],
    }


EXAMPLES = {
    f"GET {FIELDS}": Example(query=lambda world: {"organisation": str(world.organisation.pk)}),
    f"POST {FIELDS}": Example(body=definition, text=TEXT),
    f"GET {FIELDS}{{pk}}/": Example(path=field_in),
    f"PUT {FIELDS}{{pk}}/": Example(path=field_in, body=definition, text=TEXT),
    f"PATCH {FIELDS}{{pk}}/": Example(path=field_in, body=definition, text=TEXT),
    f"DELETE {FIELDS}{{pk}}/": Example(path=field_in),
    f"GET {OF_PROJECT}": Example(
        path=in_project, query=lambda world: {"include_organisation": "true", "entity": "feature"}
    ),
    f"GET {OF_PROJECT}{{pk}}/": Example(path=lambda world: {**in_project(world), **field_in(world)}),
    f"GET {ATTACHMENTS}": Example(
        path=in_organisation, query=lambda world: {"content_type": str(content_type_of("feature").pk)}
    ),
    f"POST {ATTACHMENTS}": Example(path=in_organisation, body=newly_attached),
    f"GET {ATTACHMENTS}supported-content-types/": Example(path=in_organisation),
    f"GET {ATTACHMENTS}supported-required-for-models/": Example(
        path=in_organisation, query=lambda world: {"model_name": "feature"}
    ),
    f"GET {ATTACHMENTS}{{pk}}/": Example(path=attachment_in),
    f"PUT {ATTACHMENTS}{{pk}}/": Example(path=attachment_in, body=attached),
    f"PATCH {ATTACHMENTS}{{pk}}/": Example(path=attachment_in, body=attached),
    f"DELETE {ATTACHMENTS}{{pk}}/": Example(path=attachment_in),
}

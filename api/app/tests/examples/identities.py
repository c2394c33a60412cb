"""Identities and traits, as the management API has them."""

from typing import Any

from app.tests.examples.example import Example
from app.tests.world import World

ENVIRONMENT = "/api/v1/environments/{environment_key}"
ALL = f"{ENVIRONMENT}/identities/"
ONE = f"{ALL}{{pk}}/"
TRAITS = f"{ALL}{{identity_pk}}/traits/"
TRAIT = f"{TRAITS}{{pk}}/"


def environment(world: World) -> dict[str, Any]:
    return {"environment_key": world.environment.api_key}


def identity(world: World) -> dict[str, Any]:
    return {**environment(world), "pk": world.identity.pk}


def traits(world: World) -> dict[str, Any]:
    return {**environment(world), "identity_pk": world.identity.pk}


def trait(world: World) -> dict[str, Any]:
    return {**traits(world), "pk": world.trait_key.pk}


def named(world: World) -> dict[str, Any]:
    return {"identifier": "noor"}


def wanted(world: World) -> dict[str, Any]:
    return {
        "trait_key": "plan",
        "value_type": "unicode",
        "string_value": "pro",
        "integer_value": 1,
        "boolean_value": True,
        "float_value": 1.5,
    }


def forgotten(world: World) -> dict[str, Any]:
    return {"identifier": world.identity.identifier, "dry_run": False}


TEXT = frozenset({"trait_key", "string_value"})
IDENTIFIER = frozenset({"identifier"})

EXAMPLES = {
    f"GET {ALL}": Example(path=environment),
    f"POST {ALL}": Example(path=environment, body=named, text=IDENTIFIER),
    f"GET {ONE}": Example(path=identity),
    f"PUT {ONE}": Example(path=identity, body=named, text=IDENTIFIER),
    f"PATCH {ONE}": Example(path=identity, body=named, text=IDENTIFIER),
    f"DELETE {ONE}": Example(path=identity),
    f"GET {TRAITS}": Example(path=traits),
    f"POST {TRAITS}": Example(path=traits, body=wanted, text=TEXT),
    f"GET {TRAIT}": Example(path=trait),
    f"PUT {TRAIT}": Example(path=trait, body=wanted, text=TEXT),
    f"PATCH {TRAIT}": Example(path=trait, body=wanted, text=TEXT),
    f"DELETE {TRAIT}": Example(path=trait),
    "POST /api/v1/projects/{project_pk}/erase-identifier/": Example(
        path=lambda world: {"project_pk": world.project.pk}, body=forgotten
    ),
    "POST /api/v1/organisations/{organisation_pk}/erase-identifier/": Example(
        path=lambda world: {"organisation_pk": world.organisation.pk}, body=forgotten
    ),
    f"GET {ENVIRONMENT}/trait-keys/": Example(path=environment),
    f"POST {ENVIRONMENT}/delete-traits/": Example(path=environment, body=lambda world: {"key": "plan"}),
}

"""What is granted to users and groups, and who holds what."""

from collections.abc import Callable
from typing import Any

from app.tests.examples.example import Example
from app.tests.world import World

PLACES: dict[str, tuple[str, str, Callable[[World], Any]]] = {
    "organisation": ("organisations", "organisation_pk", lambda world: world.organisation.pk),
    "project": ("projects", "project_pk", lambda world: world.project.pk),
    "environment": ("environments", "environment_key", lambda world: world.environment.api_key),
}
KEYS = {"organisation": "CREATE_PROJECT", "project": "CREATE_FEATURE", "environment": "VIEW_IDENTITIES"}
NEW = {"user": lambda world: world.member.pk, "group": lambda world: world.group.pk}
GRANTED = {"user": lambda world: world.admin.pk, "group": lambda world: world.granted_group.pk}


def grants_examples(level: str, kind: str) -> dict[str, Example]:
    """Return examples for what users, or groups, were granted at one level."""
    collection, parameter, place = PLACES[level]
    path = f"/api/v1/{collection}/{{{parameter}}}/user-{'' if kind == 'user' else 'group-'}permissions/"

    def here(world: World) -> dict[str, Any]:
        return {parameter: place(world)}

    def row(world: World) -> dict[str, Any]:
        return {**here(world), "pk": world.grants[f"{level} {kind}"].pk}

    def body(holders: dict[str, Any]) -> Callable[[World], dict[str, Any]]:
        flags = {} if level == "organisation" else {"admin": True}
        return lambda world: {kind: holders[kind](world), "permissions": [KEYS[level]], **flags}

    filters: Callable[[World], dict[str, Any]] = lambda world: {kind: str(GRANTED[kind](world))}  # noqa: E731
    at_organisation = level == "organisation"
    return {
        f"GET {path}": Example(path=here, query=filters) if at_organisation else Example(path=here),
        f"POST {path}": Example(path=here, body=body(NEW)),
        f"PUT {path}{{pk}}/": Example(path=row, body=body(GRANTED)),
        f"PATCH {path}{{pk}}/": Example(path=row, body=body(GRANTED)),
        f"DELETE {path}{{pk}}/": Example(path=row),
        **({} if at_organisation else {f"GET {path}{{pk}}/": Example(path=row)}),
    }


def of_user(parameter: str, place: Callable[[World], Any]) -> Example:
    return Example(path=lambda world: {parameter: place(world), "user_pk": world.member.pk})


EXAMPLES = {
    **{
        route: example
        for level in PLACES
        for kind in ("user", "group")
        for route, example in grants_examples(level, kind).items()
    },
    "GET /api/v1/organisations/{organisation_pk}/user-detailed-permissions/{user_pk}/": of_user(
        "organisation_pk", lambda world: world.organisation.pk
    ),
    "GET /api/v1/environments/{environment_key}/user-detailed-permissions/{user_pk}/": of_user(
        "environment_key", lambda world: world.environment.api_key
    ),
    **{
        f"GET /api/v1/projects/{{pk}}/{which}-permissions/{{user_pk}}/": of_user(
            "pk", lambda world: world.project.pk
        )
        for which in ("user-detailed", "all-user")
    },
}

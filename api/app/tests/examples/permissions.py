"""What is granted to users and groups, and who holds what."""

from collections.abc import Callable
from typing import Any

from app.tests.examples.example import Example, nothing
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


ORGANISATION = "/api/v1/organisations/{organisation_pk}"
ROLE = f"{ORGANISATION}/roles/{{role_pk}}"


def in_organisation(world: World) -> dict[str, Any]:
    return {"organisation_pk": world.organisation.pk}


def in_role(world: World) -> dict[str, Any]:
    return {**in_organisation(world), "role_pk": world.role.pk}


def in_granted_role(world: World) -> dict[str, Any]:
    return {**in_organisation(world), "role_pk": world.granted_role.pk}


def the_role(world: World) -> dict[str, Any]:
    return {**in_organisation(world), "pk": world.role.pk}


def role_body(world: World) -> dict[str, Any]:
    return {"name": "name", "description": "description", "tags": [world.tag.pk]}


def crud_in_role(
    kind: str,
    row: Callable[[World], Any],
    new: Callable[[World], dict[str, Any]],
    changed: Callable[[World], dict[str, Any]],
    query: Callable[[World], dict[str, Any]] = nothing,
) -> dict[str, Example]:
    """Return examples for what there is below a role: `row` is one of the granted role."""

    def one(world: World) -> dict[str, Any]:
        return {**in_granted_role(world), "pk": row(world)}

    path = f"{ROLE}/{kind}/"
    return {
        f"GET {path}": Example(path=in_granted_role, query=query),
        f"POST {path}": Example(path=in_role, body=new),
        f"GET {path}{{pk}}/": Example(path=one),
        f"PUT {path}{{pk}}/": Example(path=one, body=changed),
        f"PATCH {path}{{pk}}/": Example(path=one, body=changed),
        f"DELETE {path}{{pk}}/": Example(path=one),
    }


def assignment(kind: str) -> Callable[[World], int]:
    """Return where to find the granted role's assignment to one kind of holder."""
    return lambda world: world.granted_role.assignments.filter(**{f"{kind}__isnull": False})[0].pk


def limited(key: str) -> Callable[[World], dict[str, Any]]:
    return lambda world: {
        "permissions": [{"permission_key": key, "tags": [world.tag.pk]}],
        "admin": True,
    }


def tagged(level: str, key: str) -> Callable[[World], dict[str, Any]]:
    return lambda world: {level: getattr(world, level).pk, **limited(key)(world)}


def roles_of(
    kind: str, parameter: str, holder: Callable[[World], Any], detach: str = ""
) -> dict[str, Example]:
    """Return examples for the roles of one holder."""
    path = f"{ORGANISATION}/{kind}/{{{parameter}}}/roles/"
    return {
        f"GET {path}": Example(path=lambda world: {**in_organisation(world), parameter: holder(world)}),
        f"DELETE {path}{{role_pk}}/{detach}": Example(
            path=lambda world: {**in_granted_role(world), parameter: holder(world)}
        ),
    }


ROLES = {
    f"GET {ORGANISATION}/roles/": Example(path=in_organisation),
    f"POST {ORGANISATION}/roles/": Example(
        path=in_organisation, body=role_body, text=frozenset({"name", "description"})
    ),
    f"GET {ORGANISATION}/roles/{{pk}}/": Example(path=the_role),
    f"DELETE {ORGANISATION}/roles/{{pk}}/": Example(path=the_role),
    **{
        f"{method} {ORGANISATION}/roles/{{pk}}/": Example(
            path=the_role, body=role_body, text=frozenset({"name", "description"})
        )
        for method in ("PUT", "PATCH")
    },
    **crud_in_role(
        "users",
        assignment("user"),
        new=lambda world: {"user": world.member.pk},
        changed=lambda world: {"user": world.admin.pk},
    ),
    **crud_in_role(
        "groups",
        assignment("group"),
        new=lambda world: {"group": world.group.pk},
        changed=lambda world: {"group": world.granted_group.pk},
    ),
    **crud_in_role(
        "master-api-keys",
        assignment("master_key"),
        new=lambda world: {"master_api_key": str(world.roled_key.pk)},
        changed=lambda world: {"master_api_key": str(world.roled_key.pk)},
    ),
    **crud_in_role(
        "organisation-permissions",
        lambda world: world.grants["organisation role"].pk,
        new=lambda world: {"permissions": ["CREATE_PROJECT"]},
        changed=lambda world: {"permissions": ["CREATE_PROJECT"]},
    ),
    **crud_in_role(
        "projects-permissions",
        lambda world: world.grants["project role"].pk,
        new=tagged("project", "DELETE_FEATURE"),
        changed=limited("DELETE_FEATURE"),
        query=lambda world: {"project": str(world.project.pk)},
    ),
    **crud_in_role(
        "environments-permissions",
        lambda world: world.grants["environment role"].pk,
        new=tagged("environment", "UPDATE_FEATURE_STATE"),
        changed=limited("UPDATE_FEATURE_STATE"),
        query=lambda world: {"environment": str(world.environment.pk)},
    ),
    **roles_of("users", "user_pk", lambda world: world.admin.pk),
    **roles_of("groups", "group_pk", lambda world: world.granted_group.pk),
    **roles_of(
        "master-api-keys",
        "prefix",
        lambda world: world.roled_key.prefix,
        detach="detach-roles-from-master-api-key/",
    ),
}


def of_user(parameter: str, place: Callable[[World], Any]) -> Example:
    return Example(path=lambda world: {parameter: place(world), "user_pk": world.member.pk})


EXAMPLES = {
    **ROLES,
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

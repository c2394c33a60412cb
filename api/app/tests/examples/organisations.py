"""Organisations and their members."""

from typing import Any

from app.tests.examples.example import Example
from app.tests.world import World


def in_organisation(world: World) -> dict[str, Any]:
    return {"organisation_pk": world.organisation.pk}


def organisation_body(world: World) -> dict[str, Any]:
    return {
        "name": "renamed",
        "webhook_notification_email": "hooks@example.org",
        "restrict_project_create_to_admin": True,
        "force_2fa": True,
    }


def master_key_body(world: World) -> dict[str, Any]:
    return {
        "name": "Terraform",
        "revoked": False,
        "expiry_date": "2100-01-01T00:00:00Z",
        "is_admin": False,
    }


MASTER_KEYS = "/api/v1/organisations/{organisation_pk}/master-api-keys/"

EXAMPLES = {
    "GET /api/v1/organisations/": Example(),
    "POST /api/v1/organisations/": Example(body=organisation_body, text=frozenset({"name"})),
    "GET /api/v1/organisations/permissions/": Example(),
    "GET /api/v1/organisations/get-by-uuid/{uuid}/": Example(
        path=lambda world: {"uuid": world.organisation.uuid}
    ),
    **{
        f"{method} /api/v1/organisations/{{organisation_pk}}/": Example(
            path=in_organisation, body=organisation_body, text=frozenset({"name"})
        )
        for method in ("PUT", "PATCH")
    },
    **{
        f"{method} /api/v1/organisations/{{organisation_pk}}/{rest}": Example(path=in_organisation)
        for method, rest in [
            ("GET", ""),
            ("DELETE", ""),
            ("GET", "get-subscription-metadata/"),
            ("GET", "my-permissions/"),
            ("GET", "projects/"),
        ]
    },
    "GET /api/v1/organisations/{organisation_pk}/users/": Example(
        path=in_organisation, query=lambda world: {"exclude_current": "true"}
    ),
    "POST /api/v1/organisations/{organisation_pk}/users/{user_id}/update-role/": Example(
        path=lambda world: {**in_organisation(world), "user_id": world.member.pk},
        body=lambda world: {"role": "ADMIN"},
    ),
    "POST /api/v1/organisations/{organisation_pk}/remove-users/": Example(
        path=in_organisation,
        body=lambda world: [{"id": world.member.pk}],
        ignored=frozenset({"id"}),
        echoed=frozenset({"id"}),
    ),
    f"GET {MASTER_KEYS}": Example(path=in_organisation),
    f"POST {MASTER_KEYS}": Example(path=in_organisation, body=master_key_body, text=frozenset({"name"})),
    **{
        f"{method} {MASTER_KEYS}{{prefix}}/": Example(
            path=lambda world: {**in_organisation(world), "prefix": world.master_key.prefix},
            body=master_key_body if method in {"PUT", "PATCH"} else None,
            text=frozenset({"name"} if method in {"PUT", "PATCH"} else ()),
        )
        for method in ("GET", "PUT", "PATCH", "DELETE")
    },
}

"""Organisations, their members, groups, invitations and webhooks."""

from collections.abc import Callable
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
        "targeting_key": "acme",
    }


def master_key_body(world: World) -> dict[str, Any]:
    return {
        "name": "Terraform",
        "revoked": False,
        "expiry_date": "2100-01-01T00:00:00Z",
        "is_admin": False,
    }


MASTER_KEYS = "/api/v1/organisations/{organisation_pk}/master-api-keys/"


def group_body(world: World) -> dict[str, Any]:
    return {"name": "renamed", "is_default": True, "external_id": "crm-7"}


def webhook_body(world: World) -> dict[str, Any]:
    return {"url": "https://93.184.215.14/hooks", "enabled": False, "secret": "hush"}


def invite_body(world: World) -> dict[str, Any]:
    return {"email": "new@example.org", "role": "ADMIN", "permission_groups": [world.group.pk]}


IN = "/api/v1/organisations/{organisation_pk}/"


def beside(**ids: Callable[[World], Any]) -> Callable[[World], dict[str, Any]]:
    """Return a path's values: the organisation's, and those of `ids`."""
    return lambda world: {**in_organisation(world), **{name: of(world) for name, of in ids.items()}}


in_group = beside(pk=lambda world: world.group.pk)
of_webhook = beside(pk=lambda world: world.webhook.pk)
of_deliveries = beside(webhook_pk=lambda world: world.webhook.pk)
of_delivery = beside(webhook_pk=lambda world: world.webhook.pk, pk=lambda world: world.delivery.pk)
of_invite = beside(pk=lambda world: world.invite.pk)
of_member_of_group = beside(group_pk=lambda world: world.group.pk, user_id=lambda world: world.member.pk)


DELIVERIES = f"{IN}webhooks/{{webhook_pk}}/deliveries/"

EXAMPLES = {
    f"GET {DELIVERIES}": Example(path=of_deliveries, query=lambda world: {"event_type": "FLAG_UPDATED"}),
    f"POST {DELIVERIES}replay/": Example(path=of_deliveries),
    f"GET {DELIVERIES}{{pk}}/": Example(path=of_delivery),
    f"POST {DELIVERIES}{{pk}}/replay/": Example(path=of_delivery),
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
    **{
        f"{method} {IN}{rest}": Example(path=in_organisation)
        for method, rest in [
            ("GET", "groups/"),
            ("GET", "groups/my-groups/"),
            ("GET", "groups/summaries/"),
            ("GET", "invites/"),
            ("GET", "invite-links/"),
            ("GET", "webhooks/"),
            ("GET", "api-usage-notification/"),
        ]
    },
    **{
        f"{method} {IN}groups/{{pk}}/": Example(path=in_group, body=body, text=text)
        for method, body, text in [
            ("GET", None, frozenset[str]()),
            ("PUT", group_body, frozenset({"name", "external_id"})),
            ("PATCH", group_body, frozenset({"name", "external_id"})),
            ("DELETE", None, frozenset[str]()),
        ]
    },
    f"POST {IN}groups/": Example(
        path=in_organisation, body=group_body, text=frozenset({"name", "external_id"})
    ),
    f"POST {IN}groups/{{pk}}/add-users/": Example(
        path=in_group, body=lambda world: {"user_ids": [world.member.pk]}
    ),
    f"POST {IN}groups/{{pk}}/remove-users/": Example(
        path=in_group,
        body=lambda world: {"user_ids": [world.member.pk]},
        ignored=frozenset({"user_ids"}),
    ),
    **{
        f"POST {IN}groups/{{group_pk}}/users/{{user_id}}/{rest}": Example(path=of_member_of_group)
        for rest in ("make-admin", "remove-admin")
    },
    f"POST {IN}invites/": Example(path=in_organisation, body=invite_body),
    f"GET {IN}invites/{{pk}}/": Example(path=of_invite),
    f"DELETE {IN}invites/{{pk}}/": Example(path=of_invite),
    f"POST {IN}invites/{{pk}}/resend/": Example(path=of_invite),
    f"POST {IN}invite/": Example(
        path=in_organisation,
        body=lambda world: {"invites": [invite_body(world)], "emails": ["another@example.org"]},
    ),
    f"POST {IN}invite-links/": Example(
        path=in_organisation,
        body=lambda world: {"role": "ADMIN", "expires_at": "2100-01-01T00:00:00Z"},
    ),
    f"DELETE {IN}invite-links/{{pk}}/": Example(path=beside(pk=lambda world: world.invite_link.pk)),
    "POST /api/v1/users/join/{hash}/": Example(
        path=lambda world: {"hash": world.invited_to.hash}, secrets=frozenset({"hash"})
    ),
    "POST /api/v1/users/join/link/{hash}/": Example(
        path=lambda world: {"hash": world.linked_to.hash}, secrets=frozenset({"hash"})
    ),
    **{
        f"{method} {IN}webhooks/{{pk}}/": Example(path=of_webhook, body=body, text=text)
        for method, body, text in [
            ("GET", None, frozenset[str]()),
            ("PUT", webhook_body, frozenset({"secret"})),
            ("PATCH", webhook_body, frozenset({"secret"})),
            ("DELETE", None, frozenset[str]()),
        ]
    },
    f"POST {IN}webhooks/": Example(path=in_organisation, body=webhook_body, text=frozenset({"secret"})),
    f"GET {IN}portal-url/": Example(path=in_organisation, is_refused=True),
    f"POST {IN}get-hosted-page-url-for-subscription-upgrade/": Example(
        path=in_organisation,
        body=lambda world: {"plan_id": "scale-up", "subscription_id": "7"},
        is_refused=True,
    ),
    f"POST {IN}update-subscription/": Example(
        path=in_organisation, body=lambda world: {"hosted_page_id": "7"}, is_refused=True
    ),
}

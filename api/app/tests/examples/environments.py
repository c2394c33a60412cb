"""Environments and their server-side keys."""

from typing import Any

from app.tests.examples.example import Example
from app.tests.examples.metadata import value_of
from app.tests.world import World


def in_environment(world: World) -> dict[str, Any]:
    return {"environment_key": world.environment.api_key}


def the_key(world: World) -> dict[str, Any]:
    return {**in_environment(world), "pk": world.server_key.pk}


def environment_body(world: World) -> dict[str, Any]:
    return {
        "name": "renamed",
        "api_key": "renamed",
        "description": "description",
        "minimum_change_request_approvals": 1,
        "allow_client_traits": False,
        "banner_text": "banner",
        "banner_colour": "#123456",
        "hide_disabled_flags": True,
        "hide_sensitive_data": True,
        "use_identity_composite_key_for_hashing": False,
        "use_identity_overrides_in_local_eval": False,
        "metadata": value_of("environment", world),
    }


def the_webhook(world: World) -> dict[str, Any]:
    return {**in_environment(world), "pk": world.environment_webhook.pk}


def its_deliveries(world: World) -> dict[str, Any]:
    return {**in_environment(world), "webhook_pk": world.environment_webhook.pk}


def the_delivery(world: World) -> dict[str, Any]:
    return {**its_deliveries(world), "pk": world.environment_delivery.pk}


def webhook_body(world: World) -> dict[str, Any]:
    return {"url": "https://93.184.215.14/hook", "enabled": False, "secret": "secret"}


def webhook_test(world: World) -> dict[str, Any]:
    return {
        "webhook_url": "http://127.0.0.1:1/hook",
        "secret": "secret",
        "scope": {"type": "environment", "id": world.environment.api_key},
    }


def key_body(world: World) -> dict[str, Any]:
    return {"name": "servers", "active": True, "expires_at": "2035-01-01T00:00:00Z"}


DELIVERIES = "/api/v1/environments/{environment_key}/webhooks/{webhook_pk}/deliveries/"
TEXTS = frozenset({"name", "description", "banner_text", "metadata.field_value"})

EXAMPLES = {
    "GET /api/v1/environments/": Example(query=lambda world: {"project": str(world.project.pk)}),
    "POST /api/v1/environments/": Example(
        body=lambda world: {**environment_body(world), "project": world.project.pk}, text=TEXTS
    ),
    "GET /api/v1/environments/permissions/": Example(),
    "GET /api/v1/environments/get-by-uuid/{uuid}/": Example(
        path=lambda world: {"uuid": world.environment.uuid}
    ),
    "GET /api/v1/environments/{environment_key}/": Example(path=in_environment),
    **{
        f"{method} /api/v1/environments/{{environment_key}}/": Example(
            path=in_environment, body=environment_body, text=TEXTS
        )
        for method in ("PUT", "PATCH")
    },
    "DELETE /api/v1/environments/{environment_key}/": Example(path=in_environment),
    "POST /api/v1/environments/{environment_key}/clone/": Example(
        path=in_environment,
        body=lambda world: {"name": "copy", "clone_feature_states_async": False},
        text=frozenset({"name"}),
    ),
    "GET /api/v1/environments/{environment_key}/metrics/": Example(path=in_environment),
    "GET /api/v1/environments/{environment_key}/document/": Example(path=in_environment),
    "GET /api/v1/environments/{environment_key}/my-permissions/": Example(path=in_environment),
    "GET /api/v1/environments/{environment_key}/api-keys/": Example(path=in_environment),
    "POST /api/v1/environments/{environment_key}/api-keys/": Example(
        path=in_environment, body=key_body, text=frozenset({"name"})
    ),
    **{
        f"{method} /api/v1/environments/{{environment_key}}/api-keys/{{pk}}/": Example(
            path=the_key, body=key_body, text=frozenset({"name"})
        )
        for method in ("PUT", "PATCH")
    },
    "DELETE /api/v1/environments/{environment_key}/api-keys/{pk}/": Example(path=the_key),
    "GET /api/v1/environments/{environment_key}/webhooks/": Example(path=in_environment),
    "POST /api/v1/environments/{environment_key}/webhooks/": Example(
        path=in_environment, body=webhook_body, text=frozenset({"secret"})
    ),
    **{
        f"{method} /api/v1/environments/{{environment_key}}/webhooks/{{pk}}/": Example(
            path=the_webhook, body=webhook_body, text=frozenset({"secret"})
        )
        for method in ("PUT", "PATCH")
    },
    "DELETE /api/v1/environments/{environment_key}/webhooks/{pk}/": Example(path=the_webhook),
    f"GET {DELIVERIES}": Example(path=its_deliveries, query=lambda world: {"status": "FAILED"}),
    f"POST {DELIVERIES}replay/": Example(path=its_deliveries),
    f"GET {DELIVERIES}{{pk}}/": Example(path=the_delivery),
    f"POST {DELIVERIES}{{pk}}/replay/": Example(path=the_delivery),
    # Nobody may be called from here, so it works for nobody; its own tests have receivers.
    "POST /api/v1/webhooks/test/": Example(body=webhook_test, is_refused=True),
}

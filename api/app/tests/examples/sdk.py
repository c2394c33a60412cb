"""What SDKs call."""

from typing import Any

from app.tests.examples.example import Caller, Example
from app.tests.world import World

# Not an id of ours: callers choose it, and each environment has its own identity of that name.
IDENTIFIER = "user-17"


def identity_in(world: World) -> dict[str, Any]:
    return {
        "identifier": IDENTIFIER,
        "transient": False,
        "traits": [{"trait_key": "plan", "trait_value": "pro", "transient": False}],
    }


def trait_in(world: World) -> dict[str, Any]:
    return {
        "identity": {"identifier": IDENTIFIER},
        "trait_key": "plan",
        "trait_value": "pro",
    }


def identifier_in(world: World) -> dict[str, Any]:
    return {"identifier": IDENTIFIER}


def context_in(world: World) -> dict[str, Any]:
    return {"context": {"targetingKey": IDENTIFIER, "plan": "pro"}}


EXAMPLES: dict[str, Example] = {
    "GET /api/v1/flags/": Example(
        caller=Caller.CLIENT_KEY, query=lambda world: {"feature": world.feature.name}
    ),
    "GET /api/v1/identities/": Example(caller=Caller.CLIENT_KEY, query=identifier_in),
    "POST /api/v1/identities/": Example(
        caller=Caller.CLIENT_KEY,
        body=identity_in,
        text=frozenset({"identifier", "traits.trait_key", "traits.trait_value"}),
        # Containers become their JSON text.
        takes_anything=frozenset({"traits.trait_value"}),
    ),
    "POST /api/v1/bulk-identities/": Example(
        caller=Caller.CLIENT_KEY,
        body=lambda world: {"data": [identity_in(world)]},
        text=frozenset({"data.identifier", "data.traits.trait_key", "data.traits.trait_value"}),
        takes_anything=frozenset({"data.traits.trait_value"}),
    ),
    "POST /api/v1/traits/": Example(
        caller=Caller.CLIENT_KEY,
        body=trait_in,
        text=frozenset({"identity.identifier", "trait_key", "trait_value"}),
        takes_anything=frozenset({"trait_value"}),
    ),
    "PUT /api/v1/traits/bulk/": Example(
        caller=Caller.CLIENT_KEY,
        body=lambda world: [trait_in(world)],
        text=frozenset({"identity.identifier", "trait_key", "trait_value"}),
        takes_anything=frozenset({"trait_value"}),
    ),
    "POST /api/v1/traits/increment-value/": Example(
        caller=Caller.CLIENT_KEY,
        body=lambda world: {
            "identifier": IDENTIFIER,
            "trait_key": "logins",
            "increment_by": 2,
        },
        text=frozenset({"identifier", "trait_key"}),
    ),
    "POST /api/v1/analytics/flags/": Example(
        caller=Caller.CLIENT_KEY,
        body=lambda world: {"checkout": 3, "unknown": 1},
        takes_anything=frozenset({"checkout", "unknown"}),
    ),
    "POST /api/v2/analytics/flags/": Example(
        caller=Caller.CLIENT_KEY,
        body=lambda world: {
            "evaluations": [
                {
                    "feature_name": world.feature.name,
                    "identity_identifier": IDENTIFIER,
                    "enabled_when_evaluated": True,
                    "count": 3,
                }
            ]
        },
        ignored=frozenset({"evaluations.feature_name"}),  # what isn't the project's own is dropped
    ),
    "POST /api/v1/analytics/telemetry/": Example(
        caller=Caller.ANYONE,
        body=lambda world: {
            "organisations": 1,
            "projects": 1,
            "environments": 1,
            "features": 1,
            "segments": 1,
            "users": 1,
            "debug_enabled": False,
            "env": "production",
        },
        text=frozenset({"env"}),
    ),
    "GET /api/v1/environment-document/": Example(caller=Caller.SERVER_KEY),
    "GET /api/v1/flags/{identifier}": Example(
        caller=Caller.CLIENT_KEY, path=identifier_in, any_value=frozenset({"identifier"})
    ),
    "GET /api/v1/flags/{feature_id}/multivariate-options/": Example(
        caller=Caller.CLIENT_KEY, path=lambda world: {"feature_id": world.multivariate.pk}
    ),
    "GET /api/v1/identities/{identifier}/": Example(
        caller=Caller.CLIENT_KEY, path=identifier_in, any_value=frozenset({"identifier"})
    ),
    "POST /api/v1/identities/{identifier}/traits/{trait_key}": Example(
        caller=Caller.CLIENT_KEY,
        path=lambda world: {"identifier": IDENTIFIER, "trait_key": "plan"},
        body=lambda world: {"trait_value": "pro"},
        text=frozenset({"trait_value"}),
        takes_anything=frozenset({"trait_value"}),
        any_value=frozenset({"identifier", "trait_key"}),
    ),
    **{
        f"GET {base}{path}": Example(
            caller=Caller.ANYONE,
            path=lambda world: {"client_key": world.environment.api_key},
            any_value=frozenset({"client_key"}),
        )
        for base in ("/", "/api/v1/")
        for path in ("sse/environments/{client_key}/stream", "ofrep/v1/events/{client_key}")
    },
    "POST /ofrep/v1/evaluate/flags": Example(
        caller=Caller.CLIENT_KEY, body=context_in, takes_anything=frozenset({"context.plan"})
    ),
    "POST /ofrep/v1/evaluate/flags/{key}": Example(
        caller=Caller.CLIENT_KEY,
        path=lambda world: {"key": world.feature.name},
        body=context_in,
        takes_anything=frozenset({"context.plan"}),
        echoed=frozenset({"key"}),
    ),
}

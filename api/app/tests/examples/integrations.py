"""Connections with other services: all kinds, at all levels."""

from typing import Any

from app.tests.examples.example import Caller, Example
from app.tests.world import World
from integrations.kinds import KINDS, Kind
from integrations.models import Integration
from integrations.tests.examples import configuration
from permissions.catalogue import Level

BELOW = {
    Level.ENVIRONMENT: "/api/v1/environments/{environment_key}/integrations",
    Level.PROJECT: "/api/v1/projects/{project_pk}/integrations",
    Level.ORGANISATION: "/api/v1/organisations/{organisation_pk}/integrations",
}


def place(world: World, level: Level) -> dict[str, Any]:
    places: dict[Level, dict[str, Any]] = {
        Level.ENVIRONMENT: {"environment_key": world.environment.api_key},
        Level.PROJECT: {"project_pk": world.project.pk},
        Level.ORGANISATION: {"organisation_pk": world.organisation.pk},
    }
    return places[level]


def connected(world: World, kind: Kind, level: Level) -> dict[str, Any]:
    """Return where a connection is. Made when it is asked for: there can be one, and POST has to make it."""
    of = {level.value: getattr(world, level.value)}
    full = configuration(kind)
    values = {
        "secrets": {name: f"{world.marker} {name}" for name in kind.secrets},
        "settings": {name: value for name, value in full.items() if name not in kind.secrets},
    }
    integration, _ = Integration.objects.get_or_create(kind=kind.name, **of, defaults=values)
    return {**place(world, level), "pk": integration.pk}


def _examples(kind: Kind, level: Level) -> dict[str, Example]:
    many = f"{BELOW[level]}/{kind.name}/"
    one = many + "{pk}/"
    # Of Sentry's secret the length counts.
    text = frozenset({"secret"}) if kind.name == "webhook" else frozenset()

    def body(world: World) -> dict[str, Any]:
        return configuration(kind)

    def here(world: World) -> dict[str, Any]:
        return place(world, level)

    def there(world: World) -> dict[str, Any]:
        return connected(world, kind, level)

    return {
        f"GET {many}": Example(path=here),
        f"POST {many}": Example(path=here, body=body, text=text),
        f"GET {one}": Example(path=there),
        f"PUT {one}": Example(path=there, body=body, text=text),
        f"PATCH {one}": Example(path=there, body=body, text=text),
        f"DELETE {one}": Example(path=there),
    }


def in_environment(world: World) -> dict[str, Any]:
    return place(world, Level.ENVIRONMENT)


EXAMPLES = {
    path: example
    for kind in KINDS.values()
    for level in kind.levels
    for path, example in _examples(kind, level).items()
}
EXAMPLES |= {
    f"GET {BELOW[Level.ENVIRONMENT]}/slack-channels/": Example(
        path=in_environment, query=lambda world: {"limit": "20", "cursor": ""}, is_refused=True
    ),
    f"GET {BELOW[Level.ENVIRONMENT]}/slack/signature/": Example(path=in_environment),
    **{
        f"GET {BELOW[Level.ENVIRONMENT]}/slack/{page}/": Example(
            caller=Caller.ANYONE,
            path=in_environment,
            is_refused=True,
            any_value=frozenset({"environment_key"}),
        )
        for page in ("oauth", "callback")
    },
}

"""Connections with other services: all kinds, at all levels."""

from contextlib import ExitStack
from functools import cache
from typing import Any

from django.conf import settings

from app.tests.examples.example import Caller, Example
from app.tests.world import World
from integrations.kinds import KINDS, Kind
from integrations.models import Integration
from integrations.slack_views import signature_of
from integrations.tests.examples import configuration
from integrations.tests.slack import CODE, TOKEN, SlackServer
from integrations.vendors.slack import WORKSPACE
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


# Those that are walked. The others differ from these in what their fields are called.
WALKED = {
    ("dynatrace", Level.ENVIRONMENT),
    ("segment", Level.ENVIRONMENT),
    ("datadog", Level.PROJECT),
    ("grafana", Level.ORGANISATION),
}


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

    is_double = (kind.name, level) not in WALKED
    reading = deleting = Example(path=there, is_double=is_double)
    changing = Example(path=there, body=body, text=text, is_double=is_double)
    return {
        f"GET {many}": Example(path=here, is_double=is_double),
        f"POST {many}": Example(path=here, body=body, text=text, is_double=is_double),
        f"GET {one}": reading,
        f"PUT {one}": changing,
        f"PATCH {one}": changing,
        f"DELETE {one}": deleting,
    }


def in_environment(world: World) -> dict[str, Any]:
    return place(world, Level.ENVIRONMENT)


_UNTIL_THE_END = ExitStack()


@cache
def _slack() -> SlackServer:
    """Return the server, which runs for as long as the tests do."""
    server = SlackServer()
    _UNTIL_THE_END.enter_context(server.running())
    return server


def in_workspace(world: World) -> dict[str, Any]:
    """Return where an environment is whose project Slack lets in. Made when it is asked for, as above."""
    _slack().use_in(settings)  # each test has settings of its own
    Integration.objects.get_or_create(
        kind=WORKSPACE, project=world.project, defaults={"secrets": {"api_token": TOKEN}}
    )
    return in_environment(world)


def returning_from_slack(world: World) -> dict[str, str]:
    _slack().use_in(settings)
    return {"code": CODE, "state": "state"}


def leaving_for_slack(world: World) -> dict[str, str]:
    _slack().use_in(settings)
    begun = {"environment": world.environment.pk, "user": world.admin.pk}
    return {"redirect_url": "http://testserver/", "signature": signature_of(begun)}


EXAMPLES = {
    path: example
    for kind in KINDS.values()
    for level in kind.levels
    for path, example in _examples(kind, level).items()
}
SLACK = f"{BELOW[Level.ENVIRONMENT]}/slack"
EXAMPLES |= {
    f"GET {SLACK}-channels/": Example(path=in_workspace, query=lambda world: {"limit": "20", "cursor": "0"}),
    f"GET {SLACK}/signature/": Example(path=in_environment),
    # Whoever brings an administrator's signature is let in.
    f"GET {SLACK}/oauth/": Example(
        caller=Caller.ANYONE,
        path=in_environment,
        query=leaving_for_slack,
        secrets=frozenset({"environment_key"}),
    ),
    # It needs what the session has kept since `oauth/`.
    f"GET {SLACK}/callback/": Example(
        caller=Caller.ANYONE,
        path=in_environment,
        query=returning_from_slack,
        is_refused=True,
    ),
}

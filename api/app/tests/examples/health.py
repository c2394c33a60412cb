"""How features are, and who reports it."""

from typing import Any

from app.tests.examples.example import Caller, Example
from app.tests.world import World
from health.services import signed_path

HEALTH = "/api/v1/projects/{project_pk}/feature-health"


def in_project(world: World) -> dict[str, Any]:
    return {"project_pk": world.project.pk}


def report(world: World) -> dict[str, Any]:
    return {
        "feature": world.feature.name,
        "environment": world.environment.name,
        "status": "unhealthy",
        "reason": {
            "text_blocks": [{"text": "3% of requests fail", "title": "Errors"}],
            "url_blocks": [{"url": "https://example.org/alerts/1", "title": "Alert"}],
        },
    }


EXAMPLES = {
    f"GET {HEALTH}/events/": Example(path=in_project),
    f"POST {HEALTH}/events/{{pk}}/dismiss/": Example(
        path=lambda world: {**in_project(world), "pk": world.health_event.pk}
    ),
    f"GET {HEALTH}/providers/": Example(path=in_project),
    f"POST {HEALTH}/providers/": Example(path=in_project, body=lambda world: {"name": "Grafana"}),
    f"DELETE {HEALTH}/providers/{{name}}/": Example(
        path=lambda world: {**in_project(world), "name": world.health_provider.name}
    ),
    "POST /api/v1/feature-health/{signed}": Example(
        caller=Caller.ANYONE,
        path=lambda world: {"signed": signed_path(world.health_provider)},
        body=report,
        secrets=frozenset({"signed"}),
    ),
}

"""Rollback, comparison, promotion and preview."""

from typing import Any

from django.db import connection

from app.tests.examples.example import Example
from app.tests.examples.workflows import environment, one, one_of_project
from app.tests.world import World
from environments.models import PublishedRevision
from releases.selectors import current_number

REVISIONS = "/api/v1/environments/{environment_key}/revisions/"
REVISION = f"{REVISIONS}{{revision}}/"
PROMOTION = "/api/v1/environments/{environment_key}/promote-from/{source_key}/"
VERSION = "/api/v1/environments/{environment_pk}/features/{feature_pk}/versions/{version_uuid}/"
REQUEST = "/api/v1/features/workflows/change-requests/{pk}/"
PROJECT_REQUEST = "/api/v1/projects/{project_pk}/change-requests/{pk}/"


def revision(world: World) -> dict[str, Any]:
    """Name the revision that the world's making has become."""
    revisions = PublishedRevision.objects.filter(environment_id=world.environment.pk).order_by("revision")
    if not revisions.exists():
        connection.check_constraints()  # as a commit would
    return {**environment(world), "revision": revisions.values_list("revision", flat=True)[0]}


def both(world: World) -> dict[str, Any]:
    return {**environment(world), "source_key": world.versioned.api_key}


def version(world: World) -> dict[str, Any]:
    return {
        "environment_pk": world.versioned.pk,
        "feature_pk": world.multivariate.pk,
        "version_uuid": str(world.draft_with_override.pk),
    }


def way(world: World) -> dict[str, Any]:
    return {
        "mode": "request",
        "live_from": "2999-01-01T00:00:00Z",
        "title": "As it was",
        "description": "too early",
        "approvals": [{"user": world.admin.pk}],
        "group_assignments": [{"group": world.group.pk}],
    }


def rollback(world: World) -> dict[str, Any]:
    return {**way(world), "all_or_nothing": False}


def items(world: World) -> dict[str, Any]:
    return {
        "items": [
            {
                "feature": world.feature.pk,
                "kind": "segment_override",
                "segment": world.segment.pk,
                "only": ["enabled", "priority"],
            }
        ]
    }


def promotion(world: World) -> dict[str, Any]:
    return {
        **way(world),
        **items(world),
        "source_revision": current_number(world.versioned.pk),
        "target_revision": current_number(world.environment.pk),
    }


EXAMPLES = {
    f"GET {REVISIONS}": Example(path=environment),
    f"GET {REVISION}": Example(path=revision),
    f"GET {REVISIONS}compare/": Example(
        path=environment, query=lambda world: {"from_revision": 0, "to_revision": 1_000}
    ),
    f"POST {REVISION}rollback/": Example(path=revision, body=rollback),
    f"POST {REVISION}rollback/preview/": Example(path=revision),
    f"GET {PROMOTION}": Example(path=both),
    f"POST {PROMOTION}": Example(path=both, body=promotion),
    f"POST {PROMOTION}preview/": Example(path=both, body=items),
    f"GET {VERSION}compare/": Example(path=version, query=lambda world: {"base": str(world.draft.pk)}),
    f"POST {VERSION}preview/": Example(path=version),
    f"POST {REQUEST}preview/": Example(path=one),
    f"POST {PROJECT_REQUEST}preview/": Example(path=one_of_project),
}

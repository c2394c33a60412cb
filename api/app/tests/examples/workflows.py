"""Change requests."""

from typing import Any

from app.tests.examples.example import Example
from app.tests.world import World

ENVIRONMENT = "/api/v1/environments/{environment_key}"
ONE = "/api/v1/features/workflows/change-requests/{pk}/"
OF_PROJECT = "/api/v1/projects/{project_pk}/change-requests/"
ONE_OF_PROJECT = f"{OF_PROJECT}{{pk}}/"
COMMENTS = "/api/v1/features/workflows/change-requests/{change_request_pk}/comments/"
COMMENTS_OF_PROJECT = f"{OF_PROJECT}{{change_request_pk}}/comments/"


def environment(world: World) -> dict[str, Any]:
    return {"environment_key": world.environment.api_key}


def one(world: World) -> dict[str, Any]:
    return {"pk": world.change_request.pk}


def project(world: World) -> dict[str, Any]:
    return {"project_pk": world.project.pk}


def one_of_project(world: World) -> dict[str, Any]:
    return {**project(world), "pk": world.segment_request.pk}


def about_one(world: World) -> dict[str, Any]:
    return {"change_request_pk": world.change_request.pk}


def about_one_of_project(world: World) -> dict[str, Any]:
    return {**project(world), "change_request_pk": world.segment_request.pk}


def said(world: World) -> dict[str, Any]:
    return {"text": "Why not green?"}


def _properties(world: World, share: float) -> dict[str, Any]:
    return {
        "enabled": True,
        "feature_state_value": {
            "type": "unicode",
            "string_value": "red",
            "integer_value": None,
            "boolean_value": None,
        },
        "multivariate_feature_state_values": [
            {"multivariate_feature_option": world.option.pk, "percentage_allocation": share}
        ],
    }


def _reviewers(world: World) -> dict[str, Any]:
    return {
        "title": "Paint it",
        "description": "for the summer",
        "approvals": [{"user": world.admin.pk}],
        "group_assignments": [{"group": world.group.pk}],
        "ignore_conflicts": True,
    }


def wanted(world: World) -> dict[str, Any]:
    live_from = "2999-01-01T00:00:00Z"
    place = {"segment": world.segment.pk, "priority": 0}
    return {
        **_reviewers(world),
        "feature_states": [
            {
                "feature": world.multivariate.pk,
                "feature_segment": None,
                **_properties(world, 12.5),
                "live_from": live_from,
            }
        ],
        "change_sets": [
            {
                "feature": world.multivariate.pk,
                "live_from": live_from,
                "feature_states_to_create": [{"feature_segment": place, **_properties(world, 20.0)}],
                "feature_states_to_update": [{"feature_segment": place, **_properties(world, 30.0)}],
                "segment_ids_to_delete_overrides": [],
            }
        ],
    }


def wanted_segments(world: World) -> dict[str, Any]:
    condition = {
        "operator": "EQUAL",
        "property": "country",
        "value": "FR",
        "description": "France",
        "delete": False,
    }
    nested = {"type": "ANY", "conditions": [condition], "rules": [], "delete": False}
    segment = {
        "version_of": world.segment.pk,
        "name": "Beta in France",
        "description": "small",
        "feature": None,
        "rules": [{"type": "ALL", "conditions": [condition], "rules": [nested], "delete": False}],
    }
    return {**_reviewers(world), "segments": [segment]}


WORDS = frozenset({"title", "description"})
SAID = frozenset({"text"})
VALUES = frozenset({"segments.rules.conditions.value", "segments.rules.rules.conditions.value"})
DRAFT = frozenset({"environment_feature_versions"})

EXAMPLES = {
    f"POST {ENVIRONMENT}/create-change-request/": Example(
        path=environment, body=wanted, text=WORDS, alternatives=DRAFT
    ),
    f"GET {ENVIRONMENT}/list-change-requests/": Example(
        path=environment,
        query=lambda world: {
            "committed": "false",
            "search": "request",
            "feature_id": world.feature.pk,
            "live_from_after": "2026-01-01T00:00:00Z",
        },
    ),
    f"GET {ONE}": Example(path=one),
    f"PUT {ONE}": Example(path=one, body=wanted, text=WORDS, alternatives=DRAFT),
    f"PATCH {ONE}": Example(path=one, body=wanted, text=WORDS, alternatives=DRAFT),
    f"DELETE {ONE}": Example(path=one),
    f"POST {ONE}approve/": Example(path=one),
    f"POST {ONE}commit/": Example(path=one),
    f"GET {COMMENTS}": Example(path=about_one),
    f"POST {COMMENTS}": Example(path=about_one, body=said, text=SAID),
    f"GET {OF_PROJECT}": Example(
        path=project, query=lambda world: {"committed": "false", "segment_id": world.segment.pk}
    ),
    f"POST {OF_PROJECT}": Example(path=project, body=wanted_segments, text=WORDS, takes_anything=VALUES),
    f"GET {ONE_OF_PROJECT}": Example(path=one_of_project),
    f"PUT {ONE_OF_PROJECT}": Example(
        path=one_of_project, body=wanted_segments, text=WORDS, takes_anything=VALUES
    ),
    f"PATCH {ONE_OF_PROJECT}": Example(
        path=one_of_project, body=wanted_segments, text=WORDS, takes_anything=VALUES
    ),
    f"DELETE {ONE_OF_PROJECT}": Example(path=one_of_project),
    f"POST {ONE_OF_PROJECT}approve/": Example(path=one_of_project),
    f"POST {ONE_OF_PROJECT}commit/": Example(path=one_of_project),
    f"GET {COMMENTS_OF_PROJECT}": Example(path=about_one_of_project),
    f"POST {COMMENTS_OF_PROJECT}": Example(path=about_one_of_project, body=said, text=SAID),
}

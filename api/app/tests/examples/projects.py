"""Projects and tags."""

from typing import Any

from app.tests.examples.example import Example
from app.tests.world import World


def in_project(world: World) -> dict[str, Any]:
    return {"project_pk": world.project.pk}


def the_tag(world: World) -> dict[str, Any]:
    return {**in_project(world), "pk": world.tag.pk}


def project_body(world: World) -> dict[str, Any]:
    return {
        "name": "renamed",
        "hide_disabled_flags": True,
        "prevent_flag_defaults": True,
        "enable_realtime_updates": False,
        "only_allow_lower_case_feature_names": False,
        "feature_name_regex": "[a-z_]+",
        "show_edge_identity_overrides_for_feature": True,
        "stale_flags_limit_days": 14,
        "minimum_change_request_approvals": 2,
        "enforce_feature_owners": True,
    }


def tag_body(world: World) -> dict[str, Any]:
    return {
        "label": "label",
        "color": "#123456",
        "description": "description",
        "is_permanent": True,
    }


EXAMPLES = {
    "GET /api/v1/projects/": Example(
        query=lambda world: {"organisation": str(world.organisation.pk), "uuid": str(world.project.uuid)}
    ),
    "POST /api/v1/projects/": Example(
        body=lambda world: {**project_body(world), "organisation": world.organisation.pk},
        text=frozenset({"name"}),
    ),
    "GET /api/v1/projects/permissions/": Example(),
    "GET /api/v1/projects/get-by-uuid/{uuid}/": Example(path=lambda world: {"uuid": world.project.uuid}),
    "GET /api/v1/projects/{pk}/": Example(path=lambda world: {"pk": world.project.pk}),
    **{
        f"{method} /api/v1/projects/{{pk}}/": Example(
            path=lambda world: {"pk": world.project.pk}, body=project_body, text=frozenset({"name"})
        )
        for method in ("PUT", "PATCH")
    },
    "DELETE /api/v1/projects/{pk}/": Example(path=lambda world: {"pk": world.project.pk}),
    "GET /api/v1/projects/{pk}/my-permissions/": Example(path=lambda world: {"pk": world.project.pk}),
    "POST /api/v1/projects/{pk}/migrate-to-edge/": Example(
        path=lambda world: {"pk": world.project.pk}, is_refused=True
    ),
    "GET /api/v1/projects/{project_pk}/environments/": Example(path=in_project),
    "GET /api/v1/projects/{project_pk}/tags/": Example(path=in_project),
    "POST /api/v1/projects/{project_pk}/tags/": Example(
        path=in_project, body=tag_body, text=frozenset({"label", "description"})
    ),
    "GET /api/v1/projects/{project_pk}/tags/get-by-uuid/{uuid}/": Example(
        path=lambda world: {**in_project(world), "uuid": world.tag.uuid}
    ),
    "GET /api/v1/projects/{project_pk}/tags/{pk}/": Example(path=the_tag),
    **{
        f"{method} /api/v1/projects/{{project_pk}}/tags/{{pk}}/": Example(
            path=the_tag, body=tag_body, text=frozenset({"label", "description"})
        )
        for method in ("PUT", "PATCH")
    },
    "DELETE /api/v1/projects/{project_pk}/tags/{pk}/": Example(path=the_tag),
}

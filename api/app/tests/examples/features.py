"""Features, what they serve, and for whom."""

from typing import Any

from app.tests.examples.example import Example
from app.tests.examples.metadata import value_of
from app.tests.forms import Form
from app.tests.world import World

PROJECT = "/api/v1/projects/{project_pk}"
ENVIRONMENT = "/api/v1/environments/{environment_key}"


def project(world: World) -> dict[str, Any]:
    return {"project_pk": world.project.pk}


def feature(world: World) -> dict[str, Any]:
    return {**project(world), "pk": world.feature.pk}


def options(world: World) -> dict[str, Any]:
    return {**project(world), "feature_pk": world.multivariate.pk}


def option(world: World) -> dict[str, Any]:
    return {**options(world), "pk": world.option.pk}


def environment(world: World) -> dict[str, Any]:
    return {"environment_key": world.environment.api_key}


def state(world: World) -> dict[str, Any]:
    return {**environment(world), "pk": world.varied_state.pk}


def state_id(world: World) -> dict[str, Any]:
    return {"pk": world.varied_state.pk}


def identity(world: World) -> dict[str, Any]:
    return {**environment(world), "identity_pk": world.identity.pk}


def identity_state(world: World) -> dict[str, Any]:
    override = world.varied_override
    return {**environment(world), "identity_pk": override.identity_id, "pk": override.pk}


def in_environment(world: World) -> dict[str, Any]:
    return {"environment": world.environment.pk}


def in_environment_of_feature(world: World) -> dict[str, Any]:
    return {"environment": world.environment.pk, "feature": world.feature.pk}


def share(world: World) -> list[dict[str, Any]]:
    return [{"multivariate_feature_option": world.option.pk, "percentage_allocation": 12.5}]


def value(**more: Any) -> dict[str, Any]:
    return {"type": "unicode", "string_value": "red", "integer_value": 1, "boolean_value": True, **more}


def described(world: World) -> dict[str, Any]:
    return {
        "description": "one page",
        "is_archived": False,
        "is_server_key_only": True,
        "type": "STANDARD",
        "tags": [world.tag.pk],
        "multivariate_options": [value(id=world.option.pk, default_percentage_allocation=10)],
        "metadata": value_of("feature", world),
    }


def new_feature(world: World) -> dict[str, Any]:
    return {
        **described(world),
        "name": "checkout",
        "default_enabled": True,
        "initial_value": "blue",
        "owners": [world.admin.pk],
        "group_owners": [world.group.pk],
    }


def new_option(world: World) -> dict[str, Any]:
    return value(feature=world.multivariate.pk, key="red", default_percentage_allocation=10)


def group_owners(world: World) -> dict[str, Any]:
    return {"group_ids": [world.group.pk]}


def owners(world: World) -> dict[str, Any]:
    return {"user_ids": [world.admin.pk]}


def new_override(world: World) -> dict[str, Any]:
    return {
        "enabled": True,
        "feature": world.multivariate.pk,
        "feature_state_value": "blue",
        "multivariate_feature_state_values": share(world),
    }


def kept(world: World) -> dict[str, Any]:
    return {**new_override(world), "environment": world.environment.pk}


def new_raw(world: World) -> dict[str, Any]:
    return {
        **new_override(world),
        "identity": None,
        "identifier": world.identity.identifier,
        "feature_segment": None,
    }


def typed(world: World) -> dict[str, Any]:
    return {
        "enabled": True,
        "environment": world.environment.pk,
        "feature": world.multivariate.pk,
        "feature_state_value": value(),
        "multivariate_feature_state_values": share(world),
    }


def new_typed(world: World) -> dict[str, Any]:
    return {**typed(world), "identity": world.identity.pk, "feature_segment": None}


def new_segment_override(world: World) -> dict[str, Any]:
    return {
        "enabled": True,
        "feature_state_value": value(),
        "feature_segment": {"segment": world.segment.pk, "priority": 0},
        "multivariate_feature_state_values": share(world),
    }


def place(world: World, feature_id: int) -> dict[str, Any]:
    return {"feature": feature_id, "segment": world.segment.pk, "environment": world.environment.pk}


def new_place(world: World) -> dict[str, Any]:
    return place(world, world.multivariate.pk)


def same_place(world: World) -> dict[str, Any]:
    return place(world, world.feature.pk)


def place_id(world: World) -> dict[str, Any]:
    return {"pk": world.feature_segment.pk}


def versions(world: World) -> dict[str, Any]:
    return {"environment_pk": world.versioned.pk, "feature_pk": world.multivariate.pk}


def draft(world: World) -> dict[str, Any]:
    return {**versions(world), "version_uuid": world.draft.pk}


def draft_override(world: World) -> dict[str, Any]:
    return {
        **versions(world),
        "version_uuid": world.draft_with_override.pk,
        "pk": world.draft_override.pk,
    }


def new_version(world: World) -> dict[str, Any]:
    override = new_segment_override(world)
    return {
        "description": "for everyone",
        "live_from": "2999-01-01T00:00:00Z",
        "feature_states_to_create": [override],
        "feature_states_to_update": [{**override, "feature_segment": None}, override],
        "segment_ids_to_delete_overrides": [world.segment.pk],
        "publish_immediately": False,
    }


def flag(world: World) -> dict[str, Any]:
    return {**environment(world), "feature_pk": world.multivariate.pk}


def wanted_flag(world: World) -> dict[str, Any]:
    state = {
        "enabled": True,
        "value": text_value(world),
        "variants": [{"id": world.option.pk, "weight": 12.5}],
    }
    override = {**state, "segment": {"id": world.segment.pk}, "priority": 0}
    return {"environment_default": state, "segment_overrides": [override]}


def text_value(world: World) -> dict[str, str]:
    return {"type": "string", "value": "red"}


def named_feature(world: World) -> dict[str, Any]:
    return {"feature": {"id": world.multivariate.pk}}


def flag_update(world: World) -> dict[str, Any]:
    segment = {"id": world.segment.pk, "priority": 0}
    return {**named_feature(world), "enabled": True, "value": text_value(world), "segment": segment}


def flag_updates(world: World) -> dict[str, Any]:
    state = {"enabled": True, "value": text_value(world)}
    override = {**state, "segment_id": world.segment.pk, "priority": 0}
    return {
        **named_feature(world),
        "environment_default": state,
        "segment_overrides": [{**override, "multivariate_feature_state_values": share(world)}],
    }


def override_to_remove(world: World) -> dict[str, Any]:
    return {"feature": {"id": world.feature.pk}, "segment": {"id": world.segment.pk}}


def named_override(world: World) -> dict[str, Any]:
    return {"identifier": world.identity.identifier, "feature": world.multivariate.name}


def override_by_identifier(world: World) -> dict[str, Any]:
    return {
        **named_override(world),
        "enabled": True,
        "feature_state_value": "blue",
        "multivariate_feature_state_values": share(world),
    }


def edge_identity(world: World) -> dict[str, Any]:
    """An identity that nobody has: there is no edge store."""
    return {**environment(world), "identity_uuid": "2c3b8d16-6d7e-4e0f-9a55-3f1f6a1f9d10"}


def code_scan(world: World) -> dict[str, Any]:
    line = {"feature_name": world.feature.name, "file_path": "shop/cart.py", "line_number": 12}
    return {
        "repository_url": "https://github.com/acme/shop",
        "vcs_provider": "github",
        "revision": "4f1c2d",
        "code_references": [line],
    }


def resources(world: World) -> dict[str, Any]:
    return {**project(world), "feature_pk": world.feature.pk}


def resource(world: World) -> dict[str, Any]:
    return {**resources(world), "pk": world.resource.pk}


def new_resource(world: World) -> dict[str, Any]:
    return {
        "url": "https://gitlab.com/acme/shop/-/merge_requests/7",
        "type": "GITLAB_MR",
        "metadata": {"title": "Use the new cart", "state": "opened"},
    }


def prerequisite(world: World) -> dict[str, Any]:
    return {**environment(world), "pk": world.prerequisite.pk}


def new_prerequisite(world: World) -> dict[str, Any]:
    return wanted_prerequisite(world) | {"feature": world.multivariate.pk}


def wanted_prerequisite(world: World) -> dict[str, Any]:
    return {
        "feature": world.feature.pk,
        "required_feature": world.needed.pk,
        "enabled": True,
        "value": "red",
    }


RAW = frozenset({"feature_state_value"})
SHOWN = frozenset({"description", "metadata.field_value", "multivariate_options.string_value"})
# An option that the feature doesn't have: a new one is made.
OPTION_ID = frozenset({"multivariate_options.id"})
STRING = frozenset({"string_value"})
BY_NAME = frozenset({"feature.name"})
TYPED = frozenset({"feature_state_value.string_value"})
REQUIRED = frozenset({"value"})
VARIANT = frozenset({"variant"})

FEATURES = f"{PROJECT}/features/"
FEATURE = f"{FEATURES}{{pk}}/"
OPTIONS = f"{FEATURES}{{feature_pk}}/mv-options/"
RESOURCES = f"{FEATURES}{{feature_pk}}/feature-external-resources/"
STATES = f"{ENVIRONMENT}/featurestates/"
PREREQUISITES = f"{ENVIRONMENT}/prerequisites/"
OVERRIDES = f"{ENVIRONMENT}/identities/{{identity_pk}}/featurestates/"
BY_IDENTIFIER = "/api/v1/environments/environments/{environment_key}/edge-identities-featurestates"
ALL_STATES = "/api/v1/features/featurestates/"
PLACES = "/api/v1/features/feature-segments/"
FLAG = "/api/__future__/environments/{environment_key}/features/{feature_pk}/"
VERSIONS = "/api/v1/environments/{environment_pk}/features/{feature_pk}/versions/"
VERSION = f"{VERSIONS}{{version_uuid}}/"
UPDATES = "/api/experiments/environments/{environment_key}"


def portable_features(world: World) -> list[dict[str, Any]]:
    return [
        {
            "name": "imported",
            "type": "MULTIVARIATE",
            "default_enabled": True,
            "is_server_key_only": False,
            "initial_value": "blue",
            "enabled": False,
            "value": "red",
            "multivariate": [
                {
                    "value": "green",
                    "type": "unicode",
                    "default_percentage_allocation": 10,
                    "percentage_allocation": 12.5,
                    "key": "green",
                }
            ],
            "description": "one page",
            "is_archived": False,
        }
    ]


EXAMPLES = {
    f"GET {FEATURES}": Example(path=project, query=in_environment),
    f"POST {FEATURES}": Example(
        path=project, body=new_feature, text=SHOWN | {"name", "initial_value"}, ignored=OPTION_ID
    ),
    f"GET {FEATURE}": Example(path=feature),
    f"PUT {FEATURE}": Example(path=feature, body=described, text=SHOWN, ignored=OPTION_ID),
    f"PATCH {FEATURE}": Example(path=feature, body=described, text=SHOWN, ignored=OPTION_ID),
    f"DELETE {FEATURE}": Example(path=feature),
    f"POST {FEATURE}add-owners/": Example(path=feature, body=owners),
    f"POST {FEATURE}remove-owners/": Example(path=feature, body=owners),
    f"POST {FEATURE}add-group-owners/": Example(path=feature, body=group_owners),
    f"POST {FEATURE}remove-group-owners/": Example(path=feature, body=group_owners),
    "GET /api/v1/features/get-by-uuid/{uuid}/": Example(path=lambda world: {"uuid": world.feature.uuid}),
    f"POST {PROJECT}/code-references/": Example(
        path=project, body=code_scan, ignored=frozenset({"code_references.feature_name"})
    ),
    f"GET {FEATURES}{{feature_pk}}/code-references/": Example(path=resources),
    f"GET {RESOURCES}": Example(path=resources),
    f"POST {RESOURCES}": Example(
        path=resources, body=new_resource, text=frozenset({"metadata.title", "metadata.state"})
    ),
    f"GET {RESOURCES}{{pk}}/": Example(path=resource),
    f"DELETE {RESOURCES}{{pk}}/": Example(path=resource),
    "GET /api/v1/environments/{environment_pk}/feature-lifecycle-counts/": Example(
        path=lambda world: {"environment_pk": world.environment.pk}
    ),
    f"GET {OPTIONS}": Example(path=options),
    f"POST {OPTIONS}": Example(path=options, body=new_option, text=STRING),
    f"GET {OPTIONS}{{pk}}/": Example(path=option),
    f"PUT {OPTIONS}{{pk}}/": Example(path=option, body=new_option, text=STRING),
    f"PATCH {OPTIONS}{{pk}}/": Example(path=option, body=new_option, text=STRING),
    f"DELETE {OPTIONS}{{pk}}/": Example(path=option),
    "GET /api/v1/multivariate/options/get-by-uuid/{uuid}/": Example(
        path=lambda world: {"uuid": world.option.uuid}
    ),
    f"GET {STATES}": Example(path=environment),
    f"POST {STATES}": Example(path=environment, body=new_raw, text=RAW, takes_anything=RAW),
    f"GET {STATES}{{pk}}/": Example(path=state),
    f"PUT {STATES}{{pk}}/": Example(path=state, body=kept, text=RAW, takes_anything=RAW),
    f"PATCH {STATES}{{pk}}/": Example(path=state, body=kept, text=RAW, takes_anything=RAW),
    f"DELETE {STATES}{{pk}}/": Example(path=state),
    f"GET {OVERRIDES}": Example(path=identity),
    f"POST {OVERRIDES}": Example(path=identity, body=new_override, text=RAW, takes_anything=RAW),
    f"GET {OVERRIDES}{{pk}}/": Example(path=identity_state),
    f"PUT {OVERRIDES}{{pk}}/": Example(path=identity_state, body=kept, text=RAW, takes_anything=RAW),
    f"PATCH {OVERRIDES}{{pk}}/": Example(path=identity_state, body=kept, text=RAW, takes_anything=RAW),
    f"DELETE {OVERRIDES}{{pk}}/": Example(path=identity_state),
    f"GET {OVERRIDES}all/": Example(path=identity),
    f"POST {OVERRIDES}clone-from-given-identity/": Example(
        path=identity, body=lambda world: {"source_identity_id": world.varied_override.identity_id}
    ),
    f"PUT {BY_IDENTIFIER}": Example(path=environment, body=override_by_identifier, takes_anything=RAW),
    f"DELETE {BY_IDENTIFIER}": Example(path=environment, body=named_override),
    f"GET {ENVIRONMENT}/edge-identity-overrides": Example(
        path=environment, query=lambda world: {"feature": world.feature.pk}
    ),
    **{
        route: Example(path=path, is_refused=True)
        for route, path in [
            (f"GET {ENVIRONMENT}/edge-identities/", environment),
            (f"POST {ENVIRONMENT}/edge-identities/", environment),
            *(
                (f"{method} {ENVIRONMENT}/edge-identities/{{identity_uuid}}/", edge_identity)
                for method in ("GET", "PUT", "PATCH", "DELETE")
            ),
        ]
    },
    f"GET {ALL_STATES}": Example(query=in_environment),
    f"POST {ALL_STATES}": Example(body=new_typed, text=TYPED),
    f"PUT {ALL_STATES}{{pk}}/": Example(path=state_id, body=typed, text=TYPED),
    f"PATCH {ALL_STATES}{{pk}}/": Example(path=state_id, body=typed, text=TYPED),
    f"GET {ALL_STATES}get-by-uuid/{{uuid}}/": Example(path=lambda world: {"uuid": world.state.uuid}),
    f"GET {PLACES}": Example(query=in_environment_of_feature),
    f"POST {PLACES}": Example(body=new_place),
    f"GET {PLACES}{{pk}}/": Example(path=place_id),
    f"PUT {PLACES}{{pk}}/": Example(path=place_id, body=same_place),
    f"PATCH {PLACES}{{pk}}/": Example(path=place_id, body=same_place),
    f"DELETE {PLACES}{{pk}}/": Example(path=place_id),
    f"GET {PLACES}get-by-uuid/{{uuid}}/": Example(path=lambda world: {"uuid": world.feature_segment.uuid}),
    f"POST {PLACES}update-priorities/": Example(
        body=lambda world: [{"id": world.feature_segment.pk, "priority": 3}]
    ),
    f"POST {ENVIRONMENT}/features/{{feature_pk}}/create-segment-override/": Example(
        path=lambda world: {**environment(world), "feature_pk": world.multivariate.pk},
        body=new_segment_override,
        text=TYPED,
    ),
    f"GET {PREREQUISITES}": Example(path=environment),
    f"POST {PREREQUISITES}": Example(
        path=environment, body=new_prerequisite, text=REQUIRED, alternatives=VARIANT
    ),
    f"GET {PREREQUISITES}{{pk}}/": Example(path=prerequisite),
    f"PUT {PREREQUISITES}{{pk}}/": Example(
        path=prerequisite, body=wanted_prerequisite, text=REQUIRED, alternatives=VARIANT
    ),
    f"PATCH {PREREQUISITES}{{pk}}/": Example(
        path=prerequisite, body=wanted_prerequisite, text=REQUIRED, alternatives=VARIANT
    ),
    f"DELETE {PREREQUISITES}{{pk}}/": Example(path=prerequisite),
    f"POST {ENVIRONMENT}/enable-v2-versioning/": Example(path=environment),
    f"POST {ENVIRONMENT}/disable-v2-versioning/": Example(
        path=lambda world: {"environment_key": world.versioned.api_key}
    ),
    f"GET {VERSIONS}": Example(path=versions),
    f"POST {VERSIONS}": Example(
        path=versions,
        body=new_version,
        text=frozenset({"description"}),
        ignored=frozenset({"segment_ids_to_delete_overrides"}),
    ),
    f"DELETE {VERSION}": Example(path=draft),
    f"POST {VERSION}publish/": Example(path=draft, body=lambda world: {"live_from": "2999-01-01T00:00:00Z"}),
    f"GET {VERSION}featurestates/": Example(path=draft),
    f"POST {VERSION}featurestates/": Example(path=draft, body=new_segment_override, text=TYPED),
    f"PUT {VERSION}featurestates/{{pk}}/": Example(
        path=draft_override, body=new_segment_override, text=TYPED
    ),
    f"PATCH {VERSION}featurestates/{{pk}}/": Example(
        path=draft_override, body=new_segment_override, text=TYPED
    ),
    f"DELETE {VERSION}featurestates/{{pk}}/": Example(path=draft_override),
    "GET /api/v1/environment-feature-versions/{version_uuid}/": Example(
        path=lambda world: {"version_uuid": world.draft.pk}
    ),
    f"GET {FLAG}": Example(path=flag),
    f"PUT {FLAG}": Example(path=flag, body=wanted_flag),
    f"PATCH {FLAG}": Example(path=flag, body=wanted_flag),
    f"DELETE {FLAG}segment-overrides/{{segment_pk}}/": Example(
        path=lambda world: {**flag(world), "feature_pk": world.feature.pk, "segment_pk": world.segment.pk}
    ),
    f"POST {UPDATES}/update-flag-v1/": Example(path=environment, body=flag_update, alternatives=BY_NAME),
    f"POST {UPDATES}/update-flag-v2/": Example(path=environment, body=flag_updates, alternatives=BY_NAME),
    f"POST {UPDATES}/delete-segment-override/": Example(
        path=environment, body=override_to_remove, alternatives=BY_NAME
    ),
    "POST /api/v1/features/create-feature-export/": Example(
        body=lambda world: {"environment_id": world.environment.pk, "tag_ids": [world.tag.pk]}
    ),
    "GET /api/v1/features/download-feature-export/{pk}/": Example(
        path=lambda world: {"pk": world.feature_export.pk}
    ),
    f"GET {PROJECT}/feature-exports/": Example(path=project),
    "POST /api/v1/features/feature-import/{environment_pk}": Example(
        path=lambda world: {"environment_pk": world.environment.pk},
        body=lambda world: Form(file=portable_features(world), strategy="SKIP"),
        takes_anything=frozenset({"file.value", "file.multivariate.value"}),
        is_form=True,
    ),
    f"GET {PROJECT}/feature-imports/": Example(path=project),
    **{
        f"GET {PROJECT}/segments/{{segment_pk}}/{uses}/": Example(
            path=lambda world: {**project(world), "segment_pk": world.segment.pk}
        )
        for uses in ("associated-features", "where-used")
    },
}

"""Reading projects: from a server's API, or from environment documents."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from environments.services import EnvironmentFields
from features.models.values import typed_value
from moving.api import MovingError, SourceApi
from moving.readings import (
    EnvironmentReading,
    FeatureReading,
    IdentityReading,
    OptionReading,
    ProjectReading,
    SegmentReading,
    ServerKeyReading,
    ShareReading,
    StateReading,
    environment_of,
    flag_value,
    rules_of,
)
from projects.services import ProjectFields

_PROJECT_SETTINGS = tuple(ProjectFields.__annotations__)
# What documents don't say.
_ENVIRONMENT_SETTINGS = (
    "name",
    "description",
    "minimum_change_request_approvals",
    "allow_client_traits",
    "banner_text",
    "banner_colour",
    "hide_disabled_flags",
    "hide_sensitive_data",
    "use_identity_overrides_in_local_eval",
)
_TAG = ("label", "color", "description", "is_permanent")
_TRAIT_COLUMNS = {
    "unicode": "string_value",
    "int": "integer_value",
    "bool": "boolean_value",
    "float": "float_value",
}


def read_projects(api: SourceApi, wanted: Sequence[str]) -> Iterator[ProjectReading]:
    """Yield the projects that the key sees, those of these names or ids if there are any.

    Raises:
        MovingError: something can't be read, one that is wanted isn't there, or they are of several
            organisations, all of which a user's token may see.
    """
    found = api.all("projects/")
    known = {each["name"] for each in found} | {str(each["id"]) for each in found}
    if missing := set(wanted) - known:
        raise MovingError(f"The key sees no project {min(missing)}.")
    chosen = [each for each in found if not wanted or each["name"] in wanted or str(each["id"]) in wanted]
    if len({each["organisation"] for each in chosen}) > 1:
        listed = ", ".join(
            f"{each['name']} ({each['id']}, of organisation {each['organisation']})" for each in chosen
        )
        raise MovingError(
            f"These projects are of several organisations: {listed}. Name those of one, by --project ID."
        )
    for each in chosen:
        yield _project(api, each["id"])


def read_documents(documents: Sequence[Mapping[str, Any]]) -> list[ProjectReading]:
    """Return the projects that environment documents are of.

    Raises:
        MovingError: one is none.
    """
    by_project: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for document in documents:
        try:
            by_project[int(document["project"]["id"])].append(document)
            environment_of(document)
        except (KeyError, TypeError, ValueError) as error:
            raise MovingError("This isn't an environment document.") from error
    return [_project_of(each) for each in by_project.values()]


def read_identities(
    api: SourceApi,
    project: ProjectReading,
    environment: EnvironmentReading,
    skip: Callable[[Sequence[str]], Collection[str]] | None = None,
) -> Iterator[list[IdentityReading]]:
    """Yield an environment's identities in batches, with their traits and overrides.

    Args:
        skip: returns which of a page's identifiers needn't be read.

    Raises:
        MovingError: something can't be read.
    """
    path = f"environments/{environment.api_key}/{'edge-identities' if environment.is_edge else 'identities'}/"
    for page in api.steps(path) if environment.is_edge else api.pages(path):
        known = skip([each["identifier"] for each in page]) if skip else frozenset()
        yield [_identity(api, path, each, environment) for each in page if each["identifier"] not in known]


def _identity(
    api: SourceApi, path: str, identity: Mapping[str, Any], environment: EnvironmentReading
) -> IdentityReading:
    identifier = identity["identifier"]
    one = f"{path}{identity['identity_uuid' if environment.is_edge else 'id']}/"
    traits = api.all(f"{one}{'list-traits' if environment.is_edge else 'traits'}/")
    overrides = environment.identities.get(identifier, ())
    if not environment.has_all_overrides:
        states = api.all(f"{one}{'edge-featurestates' if environment.is_edge else 'featurestates'}/")
        overrides = [_override(state) for state in states]
    return IdentityReading(identifier, dict(map(_trait, traits)), overrides)


def _project(api: SourceApi, project_id: int) -> ProjectReading:
    path = f"projects/{project_id}/"
    project = api.get(path)
    is_edge = bool(project.get("use_edge_identities"))
    return ProjectReading(
        source_id=project_id,
        settings=cast(
            ProjectFields,
            {name: project[name] for name in _PROJECT_SETTINGS if project.get(name) is not None},
        ),
        tags={
            tag["id"]: {name: tag[name] for name in _TAG if tag.get(name) is not None}  # type: ignore[misc]
            for tag in api.all(f"{path}tags/")
            if not tag.get("is_system_tag")
        },
        features=[_feature(each) for each in api.all(f"{path}features/")],
        segments=[
            SegmentReading(
                source_id=each["id"],
                name=each["name"],
                description=each.get("description"),
                feature=each.get("feature"),
                rules=rules_of(each["rules"]),
            )
            for each in api.all(f"{path}segments/")
        ],
        environments=[
            _environment(api, each, is_edge=is_edge) for each in api.all("environments/", project=project_id)
        ],
    )


def _environment(api: SourceApi, environment: Mapping[str, Any], *, is_edge: bool) -> EnvironmentReading:
    path = f"environments/{environment['api_key']}/"
    told = cast(
        EnvironmentFields, {name: environment[name] for name in _ENVIRONMENT_SETTINGS if name in environment}
    )
    return environment_of(
        api.get(f"{path}document/"),
        settings=told,
        uses_versions=bool(environment.get("use_v2_feature_versioning")),
        is_edge=is_edge,
        number=None if is_edge else api.count(f"{path}identities/"),
        server_keys=[
            ServerKeyReading(each["key"], each["name"], each.get("active", True), each.get("expires_at"))
            for each in api.all(f"{path}api-keys/")
        ],
    )


def _feature(feature: Mapping[str, Any]) -> FeatureReading:
    return FeatureReading(
        source_id=feature["id"],
        name=feature["name"],
        description=feature.get("description"),
        default_enabled=bool(feature.get("default_enabled")),
        initial_value=feature.get("initial_value"),
        is_archived=bool(feature.get("is_archived")),
        is_server_key_only=bool(feature.get("is_server_key_only")),
        tags=feature.get("tags", ()),
        options=[
            OptionReading(
                source_id=each["id"],
                key=each.get("key"),
                value=each.get(
                    {"int": "integer_value", "bool": "boolean_value"}.get(each["type"], "string_value")
                ),
                percentage=each["default_percentage_allocation"],
            )
            for each in sorted(feature.get("multivariate_options", []), key=lambda each: each["id"])
        ],
    )


def _trait(trait: Mapping[str, Any]) -> tuple[str, Any]:
    if "trait_value" in trait:  # as the edge says it
        return trait["trait_key"], trait["trait_value"]
    return trait["trait_key"], trait[_TRAIT_COLUMNS[trait["value_type"]]]


def _override(state: Mapping[str, Any]) -> StateReading:
    """Return an identity's override, as the management API has it."""
    feature = state["feature"]
    return StateReading(
        feature=feature["id"] if isinstance(feature, dict) else feature,
        enabled=state["enabled"],
        value=flag_value(state["feature_state_value"]),
        seed=state.get("id"),
        shares=[
            ShareReading(each["multivariate_feature_option"], each["percentage_allocation"])
            for each in sorted(
                state.get("multivariate_feature_state_values", []), key=lambda each: each.get("id", 0)
            )
        ],
    )


def _project_of(documents: Sequence[Mapping[str, Any]]) -> ProjectReading:
    """Return a project as its environments' documents show it."""
    project = documents[0]["project"]
    segments = {
        segment["id"]: segment for document in documents for segment in document["project"]["segments"]
    }
    return ProjectReading(
        source_id=project["id"],
        settings={
            "name": project["name"],
            "hide_disabled_flags": bool(project.get("hide_disabled_flags")),
            "enable_realtime_updates": bool(project.get("enable_realtime_updates")),
        },
        features=list(_features_of(documents)),
        segments=[
            SegmentReading(each["id"], each["name"], rules_of(each["rules"]))
            for _, each in sorted(segments.items())
        ],
        environments=[environment_of(document) for document in documents],
        notes=[
            "documents have no server-side keys, tags, descriptions and conditions' descriptions, "
            "and no identities but those with overrides"
        ],
    )


def _features_of(documents: Sequence[Mapping[str, Any]]) -> Iterator[FeatureReading]:
    states: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    hidden = {
        each for document in documents for each in document["project"].get("server_key_only_feature_ids", [])
    }
    for document in documents:
        of_segments = (state for each in document["project"]["segments"] for state in each["feature_states"])
        of_identities = (
            state for each in document.get("identity_overrides", []) for state in each["identity_features"]
        )
        for state in (*document["feature_states"], *of_segments, *of_identities):
            states[state["feature"]["id"]].append(state)
    for feature_id, found in sorted(states.items()):
        options: dict[int, OptionReading] = {}
        for state in found:
            for share in state.get("multivariate_feature_state_values", []):
                option = share["multivariate_feature_option"]
                options.setdefault(
                    option["id"],
                    OptionReading(
                        option["id"],
                        flag_value(option["value"]),
                        option.get("key"),
                        share["percentage_allocation"] if state["feature_segment"] is None else 0.0,
                    ),
                )
        yield FeatureReading(
            source_id=feature_id,
            name=found[0]["feature"]["name"],
            initial_value=_as_text(found[0]["feature_state_value"]),
            is_server_key_only=feature_id in hidden,
            options=[option for _, option in sorted(options.items())],
        )


def _as_text(value: Any) -> str | None:
    """Return what `typed_value` makes this value of."""
    if value is None:
        return None
    text = str(value)
    return text.lower() if isinstance(typed_value(text), bool) else text

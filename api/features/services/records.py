"""The audit records of features and their states: Flagsmith's sentences, which clients show and search.

States and places of versions have none of their own: what is new of them is recorded with the version, when
it is published.
"""

from typing import Any

from audit.models import ChangeType, RelatedObjectType
from audit.services import Author, record
from environments.models import Environment
from features.models import (
    EnvironmentFeatureVersion,
    Feature,
    FeatureImport,
    FeatureSegment,
    FeatureState,
    Prerequisite,
)
from features.models.values import FlagValue
from projects.approval import Commission, current_commission


def of_feature(
    log: str,
    feature: Feature,
    *,
    author: Author,
    environment: Environment | None = None,
    changes: list[dict[str, Any]] | None = None,
    change_type: ChangeType | None = None,
) -> None:
    """Record something about a feature; of the whole project, unless an environment is given."""
    record(
        log,
        author=author,
        related_object=feature,
        related_object_type=RelatedObjectType.FEATURE,
        organisation_id=feature.project.organisation_id,
        project_id=feature.project_id,
        environment_id=environment.pk if environment else None,
        changes=changes,
        change_type=change_type,
    )


def of_state(
    log: str,
    state: FeatureState,
    *,
    author: Author,
    related_object: Feature | FeatureState | None = None,
    changes: list[dict[str, Any]] | None = None,
    change_type: ChangeType | None = None,
) -> None:
    if state.environment_feature_version_id is not None:
        return
    commission = current_commission()
    if commission is not None:
        _of_commissioned_state(state, commission, changes or [], change_type)
        return
    record(
        log,
        author=author,
        related_object=related_object or state,
        related_object_type=RelatedObjectType.FEATURE_STATE,
        organisation_id=state.feature.project.organisation_id,
        project_id=state.feature.project_id,
        environment_id=state.environment_id,
        changes=changes,
        change_type=change_type,
    )


def _of_commissioned_state(
    state: FeatureState, commission: Commission, changes: list[dict[str, Any]], change_type: ChangeType | None
) -> None:
    """Record all that a change request has made of a state in one record, of which nobody is the author.

    Whoever committed it is the author of the record that says so. Callers write records together, at the end.
    """
    if state.pk in commission.records:
        commission.records[state.pk].changes += changes
        return
    commission.records[state.pk] = record(
        _sentence_about(state.feature, commission),
        author=None,
        related_object=state,
        related_object_type=RelatedObjectType.FEATURE_STATE,
        organisation_id=state.feature.project.organisation_id,
        project_id=state.feature.project_id,
        environment_id=state.environment_id,
        changes=changes,
        change_type=change_type,
    )


def _sentence_about(feature: Feature, commission: Commission) -> str:
    if commission.was_scheduled:
        return (
            "Scheduled change to Flag state / Remote config value went live for feature: "
            f"{feature.name} by Change Request: {commission.title}"
        )
    return (
        f"Flag state / Remote config updated for feature: {feature.name} "
        f"by Change Request: {commission.title}"
    )


def change(field: str, old: Any, new: Any) -> dict[str, Any]:
    return {"field": field, "old": old, "new": new}


def feature_created(feature: Feature, *, author: Author) -> None:
    log = f"New Flag / Remote Config created: {feature.name}"
    of_feature(log, feature, author=author, change_type=ChangeType.CREATE)


def feature_updated(feature: Feature, *, author: Author, changes: list[dict[str, Any]]) -> None:
    of_feature(f"Flag / Remote Config updated: {feature.name}", feature, author=author, changes=changes)


def feature_deleted(feature: Feature, *, author: Author) -> None:
    log = f"Flag / Remote Config Deleted: {feature.name}"
    of_feature(log, feature, author=author, change_type=ChangeType.DELETE)


def option_added(feature: Feature, *, author: Author) -> None:
    log = f"Multivariate option added to {_quoted(feature)}."
    of_feature(log, feature, author=author, change_type=ChangeType.CREATE)


def option_removed(feature: Feature, *, author: Author) -> None:
    log = f"Multivariate option removed from {_quoted(feature)}."
    of_feature(log, feature, author=author, change_type=ChangeType.DELETE)


def state_created(state: FeatureState, *, default: FeatureState | None = None, author: Author) -> None:
    """Record a new state.

    Args:
        default: what the feature serves in the environment where nothing overrides it. An override that is
            switched like it is recorded as another value, and not as an override: Flagsmith's rule.
    """
    changes = [change("enabled", None, state.enabled), change("feature_state_value", None, state.value)]
    if default is not None and default.enabled == state.enabled:
        log = _value_log(state)
    else:
        log = _creation_log(state)
    of_state(log, state, author=author, changes=changes, change_type=ChangeType.CREATE)


def _creation_log(state: FeatureState) -> str:
    if state.identity:
        return f"Identity override created for {_override(state)}"
    if state.feature_segment:
        return f"Segment override created for {_override(state)}"
    return f"New Flag / Remote Config created: {state.feature.name}"


def enabled_changed(state: FeatureState, old: bool, *, author: Author) -> None:
    log = (
        f"Flag state / Remote config value updated for {_override(state)}"
        if _override(state)
        else f"Flag state updated for feature: {state.feature.name}"
    )
    of_state(log, state, author=author, changes=[change("enabled", old, state.enabled)])


def _value_log(state: FeatureState) -> str:
    if state.identity:
        return f"Remote config value updated for identity override on {_override(state)}."
    if state.feature_segment:
        return f"Remote config updated for segment override on {_override(state)}."
    return f"Remote config value updated for feature: {state.feature.name}"


def value_changed(state: FeatureState, old: FlagValue, *, author: Author) -> None:
    of_state(
        _value_log(state), state, author=author, changes=[change("feature_state_value", old, state.value)]
    )


def allocations_changed(state: FeatureState, old: Any, new: Any, *, author: Author) -> None:
    of_state(
        f"Multivariate value changed for {_override(state) or _quoted(state.feature)}.",
        state,
        author=author,
        related_object=state.feature,
        changes=[change("multivariate_feature_state_values", old, new)],
    )


def state_removed(state: FeatureState, *, author: Author) -> None:
    of_state(
        f"Flag state / Remote config value deleted for {_override(state) or _quoted(state.feature)}",
        state,
        author=author,
        change_type=ChangeType.DELETE,
    )


def segment_override_removed(override: FeatureSegment, *, author: Author) -> None:
    if override.environment_feature_version_id is not None:
        return
    of_feature(
        f"Flag state / Remote config value deleted for {_quoted(override.feature)} "
        f"and segment '{override.segment.name}'",
        override.feature,
        author=author,
        environment=override.environment,
        change_type=ChangeType.DELETE,
    )


def segment_overrides_reordered(override: FeatureSegment, *, author: Author) -> None:
    """Record it for all overrides that stand beside this one."""
    if override.environment_feature_version_id is not None:
        return
    log = f"Segment overrides re-ordered for {_quoted(override.feature)}."
    of_feature(log, override.feature, author=author, environment=override.environment)


def version_published(
    version: EnvironmentFeatureVersion, *, author: Author, changes: list[dict[str, Any]]
) -> None:
    """Record that a version was published, now or for later.

    Args:
        changes: what is different of it from what is served until then.
    """
    record(
        f"New version published for feature: {version.feature.name}",
        author=author,
        related_object=version,
        related_object_type=RelatedObjectType.EF_VERSION,
        organisation_id=version.feature.project.organisation_id,
        project_id=version.feature.project_id,
        environment_id=version.environment_id,
        changes=changes,
    )


def features_imported(done: FeatureImport, number: int, *, author: Author) -> None:
    """Record that a file was taken in; what came of each of its features has records of its own."""
    project = done.environment.project
    record(
        f"Features imported into environment '{done.environment.name}': {number}",
        author=author,
        related_object=done,
        related_object_type=RelatedObjectType.IMPORT_REQUEST,
        organisation_id=project.organisation_id,
        project_id=project.pk,
        environment_id=done.environment_id,
    )


def prerequisite_added(prerequisite: Prerequisite, *, author: Author) -> None:
    changes = [
        change("required_feature", None, prerequisite.required_feature.name),
        change("enabled", None, prerequisite.enabled),
        *(
            change(name, None, wanted)
            for name in ("value", "variant")
            if (wanted := getattr(prerequisite, name)) is not None
        ),
    ]
    _of_prerequisite("added", prerequisite, author, ChangeType.CREATE, changes)


def prerequisite_changed(
    prerequisite: Prerequisite, *, author: Author, changes: list[dict[str, Any]]
) -> None:
    _of_prerequisite("updated", prerequisite, author, ChangeType.UPDATE, changes)


def prerequisite_removed(prerequisite: Prerequisite, *, author: Author) -> None:
    _of_prerequisite("removed", prerequisite, author, ChangeType.DELETE)


def _of_prerequisite(
    what: str,
    prerequisite: Prerequisite,
    author: Author,
    change_type: ChangeType,
    changes: list[dict[str, Any]] | None = None,
) -> None:
    """Record something about the feature that needs the other one."""
    of_feature(
        f"Prerequisite {what} for {_quoted(prerequisite.feature)}: {prerequisite.required_feature.name}",
        prerequisite.feature,
        author=author,
        environment=prerequisite.environment,
        changes=changes,
        change_type=change_type,
    )


def _quoted(feature: Feature) -> str:
    return f"feature '{feature.name}'"


def _override(state: FeatureState) -> str:
    """Name what an override is for, e.g. `feature 'X' and segment 'S'`; empty for a default."""
    if state.identity:
        return f"{_quoted(state.feature)} and identity '{state.identity.identifier}'"
    if state.feature_segment:
        return f"{_quoted(state.feature)} and segment '{state.feature_segment.segment.name}'"
    return ""

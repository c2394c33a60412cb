"""Versions with what they serve, and what is new in one of them."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import F, QuerySet

from features.models import EnvironmentFeatureVersion, FeatureState
from features.models.values import FlagValue


def states_of(versions: Collection[EnvironmentFeatureVersion]) -> QuerySet[FeatureState]:
    """Return all states of versions, served or not: the default of each first, then overrides in order."""
    states: QuerySet[FeatureState] = FeatureState.all_objects.undeleted().filter(
        environment_feature_version__in=versions
    )
    return (
        states.select_related("feature_segment__segment")
        .prefetch_related("multivariate_feature_state_values")
        .order_by(F("feature_segment__priority").asc(nulls_first=True), "pk")
    )


def previous_version(version: EnvironmentFeatureVersion) -> EnvironmentFeatureVersion | None:
    """Return the version that was published for the time before this one; drafts don't count."""
    others: QuerySet[EnvironmentFeatureVersion] = EnvironmentFeatureVersion.objects.filter(
        environment=version.environment_id, feature=version.feature_id, published=True
    ).exclude(pk=version.pk)
    if version.live_from is not None:
        others = others.filter(live_from__lt=version.live_from)
    return others.order_by("-live_from").first()


def differences(before: Iterable[FeatureState], after: Iterable[FeatureState]) -> list[dict[str, Any]]:
    """Return what is different between the states of two versions, as audit records have it.

    Segments stand in the names of the fields: `enabled for segment 'beta'`.
    """
    old = {_segment_id(state): state for state in before}
    new = {_segment_id(state): state for state in after}
    changes = []
    for segment_id in [*new, *(each for each in old if each not in new)]:
        was, now = old.get(segment_id), new.get(segment_id)
        named = now or was
        segment = named.feature_segment.segment if named and named.feature_segment else None
        suffix = f" for segment '{segment.name}'" if segment else ""
        then, since = _described(was), _described(now)
        changes += [
            {"field": f"{field}{suffix}", "old": then.get(field), "new": since.get(field)}
            for field in (since or then)
            if not _same(then.get(field), since.get(field))
        ]
    return changes


def _segment_id(state: FeatureState) -> int | None:
    return state.feature_segment.segment_id if state.feature_segment else None


def _described(state: FeatureState | None) -> dict[str, Any]:
    if state is None:
        return {}
    described: dict[str, FlagValue | list[dict[str, float]]] = {
        "enabled": state.enabled,
        "feature_state_value": state.value,
    }
    if shares := state.multivariate_feature_state_values.all():
        described["multivariate_feature_state_values"] = [
            {
                "multivariate_feature_option": each.multivariate_feature_option_id,
                "percentage_allocation": each.percentage_allocation,
            }
            for each in shares
        ]
    if state.feature_segment:
        described["priority"] = state.feature_segment.priority
    return described


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other

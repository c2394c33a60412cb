"""Copies of feature states, for other environments and for new versions.

A copy keeps its original's hash seed, and its allocations the order of theirs: both decide which variant
an identity is given, and nobody is to be moved by a copy.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from features.models import FeatureSegment, FeatureState, MultivariateFeatureStateValue

# What a state says, apart from where.
CONTENT = ("enabled", "type", "string_value", "integer_value", "boolean_value")


def copy_states(
    originals: Sequence[FeatureState],
    where: Callable[[FeatureState], Mapping[str, Any]],
    **columns: Any,
) -> dict[int, int]:
    """Copy states with their allocations, and those for segments with their places in the order.

    Args:
        originals: with their feature segments loaded; none of them an identity's.
        where: what is different of a copy, in its state and in its place alike.
        columns: what is different of the states alone.

    Returns:
        The ids of the copies, by those of their originals.
    """
    placed = [(state, place) for state in originals if (place := state.feature_segment)]
    places = FeatureSegment.all_objects.bulk_create(
        FeatureSegment(
            **{
                "environment_id": place.environment_id,
                "feature_id": place.feature_id,
                "segment_id": place.segment_id,
                "priority": place.priority,
                **where(state),
            }
        )
        for state, place in placed
    )
    place_of = {state.pk: new for (state, _), new in zip(placed, places, strict=True)}
    copies = FeatureState.all_objects.bulk_create(
        FeatureState(
            **{
                "environment_id": state.environment_id,
                "feature_id": state.feature_id,
                "feature_segment": place_of.get(state.pk),
                "hash_seed": state.seed,
                **{column: getattr(state, column) for column in CONTENT},
                **where(state),
                **columns,
            }
        )
        for state in originals
    )
    ids = {state.pk: new.pk for state, new in zip(originals, copies, strict=True)}
    copy_allocations(ids)
    return ids


def copy_allocations(copies: Mapping[int, int]) -> None:
    """Give copies of states, by the ids of their originals, the originals' shares."""
    originals = MultivariateFeatureStateValue.objects.filter(feature_state__in=copies).order_by("pk")
    MultivariateFeatureStateValue.objects.bulk_create(
        MultivariateFeatureStateValue(
            feature_state_id=copies[each.feature_state_id],
            multivariate_feature_option_id=each.multivariate_feature_option_id,
            percentage_allocation=each.percentage_allocation,
        )
        for each in originals
    )

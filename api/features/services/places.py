"""Where states are served and versions follow each other, and whom states are for."""

from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Q

from features.models import FeatureState

# environment, feature, segment, identity
Target = tuple[int, int, int | None, int | None]


class Place(NamedTuple):
    """Where versions follow each other: one feature in one environment."""

    environment_id: int
    feature_id: int


def target_of(state: FeatureState) -> Target:
    """Return what a state is for. `feature_segment` should be loaded."""
    segment_id = state.feature_segment.segment_id if state.feature_segment else None
    return (state.environment_id, state.feature_id, segment_id, state.identity_id)


def rows_in(places: Iterable[Place]) -> Q:
    """Match the rows of all these places."""
    features = defaultdict(list)
    for place in places:
        features[place.environment_id].append(place.feature_id)
    return reduce(
        or_,
        (Q(environment=environment, feature__in=each) for environment, each in features.items()),
        Q(pk__in=[]),
    )

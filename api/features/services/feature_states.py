"""Single changes of feature states: each a change set of one, applied now."""

from typing import TypedDict, Unpack

from audit.services import Author
from features.models import FeatureState
from features.models.values import FlagValue
from features.services.allocations import Allocation
from features.services.change_sets import Change, Operation, apply_change_set, apply_where_it_is


class FeatureStateChanges(TypedDict, total=False):
    """What may be said of a state. What is left out stays as it is, or is the default of a new one."""

    enabled: bool
    value: FlagValue
    allocations: tuple[Allocation, ...]


def create_feature_state(
    *,
    feature_id: int,
    environment_id: int,
    segment_id: int | None = None,
    identity_id: int | None = None,
    priority: int | None = None,
    author: Author,
    **changes: Unpack[FeatureStateChanges],
) -> FeatureState:
    """Give a feature a state in an environment, for a segment or for an identity, that had none.

    Raises:
        InvalidInput: there is one, or the parts don't belong together.
    """
    created = Change(
        feature_id=feature_id,
        environment_id=environment_id,
        segment_id=segment_id,
        identity_id=identity_id,
        priority=priority,
        operation=Operation.CREATE,
        **changes,
    )
    return apply_change_set([created], author=author)[0]


def update_feature_state(
    state: FeatureState, *, author: Author, **changes: Unpack[FeatureStateChanges]
) -> FeatureState:
    """Change what a feature serves. Only the properties given are written.

    Raises:
        InvalidInput: the shares exceed 100 percent, or the state is gone.
        PublishedVersionError: it is of a version that isn't served any more, or not yet.
    """
    return apply_where_it_is(state, change_of(state, Operation.UPDATE, **changes), author=author)[0]


def remove_feature_state(state: FeatureState, *, author: Author) -> None:
    """Take back an override, or an environment's default."""
    apply_where_it_is(state, change_of(state, Operation.REMOVE), author=author)


def change_of(state: FeatureState, operation: Operation, **changes: Unpack[FeatureStateChanges]) -> Change:
    """Return the change of what a state is for. Its `feature_segment` should be loaded."""
    return Change(
        feature_id=state.feature_id,
        environment_id=state.environment_id,
        segment_id=state.feature_segment.segment_id if state.feature_segment else None,
        identity_id=state.identity_id,
        operation=operation,
        **changes,
    )

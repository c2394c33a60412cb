"""Overrides of one identity, all at once."""

from django.db import transaction

from audit.services import Author
from features.models import FeatureState
from features.selectors.feature_states import served_states
from features.services.allocations import Allocation
from features.services.change_sets import Change, Operation, apply_change_set
from identities.models import Identity


@transaction.atomic
def copy_overrides(source: Identity, target: Identity, *, author: Author) -> None:
    """Make the overrides of `target` equal to those of `source`, an identity of the same environment.

    Values and the shares of variants are copied; overrides that the source doesn't have are removed. What is
    equal already stays untouched.
    """
    wanted = {state.feature_id: state for state in _overrides_of(source)}
    superfluous = [state for state in _overrides_of(target) if state.feature_id not in wanted]
    changes = [_same_as(state, target) for state in wanted.values()]
    changes += [_removing(state, target) for state in superfluous]
    if changes:
        apply_change_set(changes, author=author)


def _overrides_of(identity: Identity) -> list[FeatureState]:
    states = served_states().filter(identity=identity, feature__deleted_at__isnull=True)
    return list(states.order_by("feature"))


def _same_as(state: FeatureState, target: Identity) -> Change:
    return Change(
        feature_id=state.feature_id,
        environment_id=target.environment_id,
        identity_id=target.pk,
        operation=Operation.SET,
        enabled=state.enabled,
        value=state.value,
        allocations=tuple(
            Allocation(each.multivariate_feature_option_id, each.percentage_allocation)
            for each in state.multivariate_feature_state_values.all()
        ),
    )


def _removing(state: FeatureState, target: Identity) -> Change:
    return Change(
        feature_id=state.feature_id,
        environment_id=target.environment_id,
        identity_id=target.pk,
        operation=Operation.REMOVE,
    )

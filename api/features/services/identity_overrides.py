"""Overrides of one identity: all at once, or by the identifier."""

from typing import Unpack

from django.db import transaction

from audit.services import Author
from environments.models import Environment
from features.models import FeatureState
from features.selectors.feature_states import served_states
from features.services.allocations import Allocation
from features.services.change_sets import Change, Operation, apply_change_set
from features.services.feature_states import FeatureStateChanges, change_of, remove_feature_state
from identities.batches import TraitChanges
from identities.models import Identity
from identities.services import store_traits


@transaction.atomic
def copy_overrides(source: Identity, target: Identity, *, author: Author) -> None:
    """Make the overrides of `target` equal to those of `source`, an identity of the same environment.

    Values and the shares of variants are copied; overrides that the source doesn't have are removed. What is
    equal already stays untouched.
    """
    wanted = {state.feature_id: state for state in _overrides_of(source)}
    superfluous = [state for state in _overrides_of(target) if state.feature_id not in wanted]
    changes = [_same_as(state, target) for state in wanted.values()]
    changes += [change_of(state, Operation.REMOVE) for state in superfluous]
    if changes:
        apply_change_set(changes, author=author)


@transaction.atomic
def override_for_identifier(
    environment: Environment,
    identifier: str,
    *,
    feature_id: int,
    author: Author,
    **changes: Unpack[FeatureStateChanges],
) -> FeatureState:
    """Make or change an override, and the identity too if the environment has none of this identifier.

    Raises:
        InvalidInput: the shares exceed 100 percent.
    """
    stored = store_traits([TraitChanges(environment.pk, identifier)])
    wanted = Change(
        feature_id=feature_id,
        environment_id=environment.pk,
        identity_id=stored[environment.pk, identifier].id,
        operation=Operation.SET,
        **changes,
    )
    return apply_change_set([wanted], author=author)[0]


@transaction.atomic
def remove_override_for_identifier(
    environment: Environment, identifier: str, *, feature_id: int, author: Author
) -> None:
    """Take an override back, if there is one."""
    identities = Identity.objects.filter(environment=environment).with_identifier(identifier)
    override = served_states().filter(identity__in=identities, feature=feature_id).first()
    if override is not None:
        remove_feature_state(override, author=author)


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

"""Shares of variants in one feature state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from core.bulk import write_columns
from core.errors import InvalidInput
from features.models import FeatureState, MultivariateFeatureStateValue

# Floats rarely sum to 100 exactly. The database's check has the same margin.
MOST_PERCENT = 100.000001


@dataclass(frozen=True)
class Allocation:
    """A variant's share, in percent."""

    option_id: int
    percentage: float


Shares = list[dict[str, float]]


class AllocationWriter:
    """Sets the shares of states: what is to be written is gathered, and written together.

    Args:
        options: the ids of the features that options belong to, by the ids of all options that will be named.
    """

    def __init__(self, options: Mapping[int, int]) -> None:
        self._options = options
        self._gone: list[int] = []
        self._changed: list[MultivariateFeatureStateValue] = []
        self._new: list[MultivariateFeatureStateValue] = []

    def set(
        self, state: FeatureState, allocations: Sequence[Allocation], *, in_order: bool = False
    ) -> tuple[Shares, Shares] | None:
        """Make `allocations` all the shares of `state`, once `write` is called.

        A variant that had a share keeps its row, so that its band keeps its place among the others; rows of
        new ones are made in the order given.

        Args:
            in_order: where that would leave bands in another order than the given one, rows are made anew.

        Returns:
            The shares before and after, for the audit record; None if they are the same.

        Raises:
            InvalidInput: more than 100 percent, a variant twice, or one of another feature.
        """
        self._check(state, allocations)
        before = {each.multivariate_feature_option_id: each for each in _of(state)}
        after = {allocation.option_id: allocation.percentage for allocation in allocations}
        old = {option_id: row.percentage_allocation for option_id, row in before.items()}
        if old == after:
            return None

        kept = [option_id for option_id in before if option_id in after]
        if in_order:
            kept = [
                option_id
                for option_id, _ in takewhile(lambda pair: pair[0] == pair[1], zip(kept, after, strict=False))
            ]
        self._gone += [row.pk for option_id, row in before.items() if option_id not in kept]
        for option_id in kept:
            row = before[option_id]
            if row.percentage_allocation != after[option_id]:
                row.percentage_allocation = after[option_id]
                self._changed.append(row)
        self._new += [
            MultivariateFeatureStateValue(
                feature_state=state,
                multivariate_feature_option_id=option_id,
                percentage_allocation=percentage,
            )
            for option_id, percentage in after.items()
            if option_id not in kept
        ]
        return _shares(old), _shares(after)

    def write(self) -> None:
        """Write what was set since the last time."""
        if self._gone:
            MultivariateFeatureStateValue.objects.filter(pk__in=self._gone).delete()
        write_columns(self._changed, ["percentage_allocation"])
        MultivariateFeatureStateValue.objects.bulk_create(self._new)
        self._gone, self._changed, self._new = [], [], []

    def _check(self, state: FeatureState, allocations: Sequence[Allocation]) -> None:
        options = {allocation.option_id for allocation in allocations}
        if len(options) < len(allocations):
            raise InvalidInput(
                {"multivariate_feature_state_values": ["A variant has one share in a feature state."]}
            )
        if any(self._options.get(option_id) != state.feature_id for option_id in options):
            raise InvalidInput(
                {"multivariate_feature_state_values": ["Multivariate option does not belong to the feature."]}
            )
        # After, not during: two weights may be swapped in one request.
        if sum(allocation.percentage for allocation in allocations) > MOST_PERCENT:
            raise InvalidInput({"non_field_errors": ["Multivariate percentage values exceed 100%."]})


def _of(state: FeatureState) -> list[MultivariateFeatureStateValue]:
    return list(state.multivariate_feature_state_values.all())


def _shares(percentages: dict[int, float]) -> Shares:
    return [
        {"multivariate_feature_option": key, "percentage_allocation": percentages[key]} for key in percentages
    ]

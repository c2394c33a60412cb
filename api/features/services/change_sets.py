"""Change sets: the one way in which feature states are written.

A change set is a list of "this feature, for this environment, segment or identity, becomes this". Switching
one flag is a change set of one, applied now. It names rows by their ids only, so that it can be kept,
and applied later or again.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit.services import Author, writing_together
from core.bulk import write_columns
from core.errors import InvalidInput
from environments.models import Environment
from features.models import Feature, FeatureSegment, FeatureState, MultivariateOption
from features.models.values import FlagValue, typed_value
from features.selectors.feature_states import served_states
from features.services import priorities, records
from features.services.allocations import Allocation, AllocationWriter
from identities.models import Identity
from segments.models import Segment


class Operation(Enum):
    """What a change does to the state that it names."""

    CREATE = "create"  # refused if there is one
    UPDATE = "update"  # refused if there is none
    SET = "set"  # whichever of the two it takes
    REMOVE = "remove"  # refused if there is none


class Unchanged(Enum):
    """Says that a change leaves a property alone, or, of a new state, at its default."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


@dataclass(frozen=True)
class Change:
    """This feature, in this environment, becomes this: for all, for a segment, or for one identity.

    Attributes:
        allocations: the variants' shares; all of them, in the order of their bands where they are new.
        priority: of a segment override. None: last if it is new, else as it is.
    """

    feature_id: int
    environment_id: int
    segment_id: int | None = None
    identity_id: int | None = None
    operation: Operation = Operation.SET
    enabled: bool | Unchanged = UNCHANGED
    value: FlagValue | Unchanged = UNCHANGED
    allocations: tuple[Allocation, ...] | Unchanged = UNCHANGED
    priority: int | None = None

    @property
    def target(self) -> "Target":
        return (self.environment_id, self.feature_id, self.segment_id, self.identity_id)


# environment, feature, segment, identity
Target = tuple[int, int, int | None, int | None]


@transaction.atomic
def apply_change_set(changes: Sequence[Change], *, author: Author) -> list[FeatureState]:
    """Make every change of `changes`, or none.

    Changes of one feature wait for each other: features, then segments, are locked in the order of their
    ids, so two change sets can't stop each other, and each sees what the one before has left.

    Returns:
        The states as they now are, with their allocations, in the order of `changes`; without the
        removed ones.

    Raises:
        InvalidInput: a change names what isn't there or belongs elsewhere, or shares exceed 100 percent.
    """
    if len({change.target for change in changes}) < len(changes):
        raise InvalidInput({"non_field_errors": ["A feature state can only be changed once at a time."]})

    surroundings = _Surroundings(changes)
    with writing_together():
        states = {
            change.target: _apply(change, surroundings, author)
            # The order of new rows is the same for everyone. Segments keep theirs: it decides priorities.
            for change in sorted(changes, key=lambda c: (c.environment_id, c.feature_id, c.identity_id or 0))
        }
        surroundings.write()
    left = (
        served_states()
        .select_related("feature_segment")
        .in_bulk([state.pk for state in states.values() if state is not None])
    )
    return [left[state.pk] for change in changes if (state := states[change.target]) is not None]


class _Surroundings:
    """The rows that the changes name, each kind read at once, and checked to belong together."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self.features = (
            Feature.objects.filter(pk__in={change.feature_id for change in changes})
            .select_related("project")
            .order_by("pk")
            .select_for_update(of=("self",), no_key=True)
            .in_bulk()
        )
        self.environments = Environment.objects.in_bulk({change.environment_id for change in changes})
        # Locked, or one that is being deleted would leave its new override behind.
        self.segments = (
            Segment.objects.filter(pk__in=_named(change.segment_id for change in changes))
            .order_by("pk")
            .select_for_update(no_key=True)
            .in_bulk()
        )
        self.identities = Identity.objects.in_bulk(_named(change.identity_id for change in changes))
        for change in changes:
            self._check(change)
        self.bindings = self._read_bindings()
        self.states = self._read_states()
        self.allocations = AllocationWriter(self._read_options(changes))
        self._updated: dict[frozenset[str], list[FeatureState]] = defaultdict(list)

    def _check(self, change: Change) -> None:
        environment = self.environments.get(change.environment_id)
        if environment is None:
            raise InvalidInput({"environment": ["Environment does not exist."]})
        feature = self.features.get(change.feature_id)
        if feature is None or feature.project_id != environment.project_id:
            raise InvalidInput({"feature": ["Feature does not exist in project"]})
        if change.segment_id is not None:
            segment = self.segments.get(change.segment_id)
            if segment is None or segment.project_id != environment.project_id:
                raise InvalidInput({"segment": ["Segment does not exist in project."]})
            check_segment_fits(segment, feature.pk)
        if change.identity_id is not None:
            identity = self.identities.get(change.identity_id)
            if identity is None or identity.environment_id != environment.pk:
                raise InvalidInput({"identity": ["Identity does not exist in environment."]})

    def _read_bindings(self) -> dict[tuple[int, int, int], FeatureSegment]:
        if not self.segments:
            return {}
        bindings = FeatureSegment.objects.filter(
            feature__in=self.features,
            environment__in=self.environments,
            segment__in=self.segments,
            is_live=True,
        )
        return {(each.environment_id, each.feature_id, each.segment_id): each for each in bindings}

    def _read_states(self) -> dict[Target, FeatureState]:
        states = (
            served_states()
            .filter(feature__in=self.features, environment__in=self.environments)
            .filter(
                _is_one_of("identity", self.identities),
                _is_one_of("feature_segment", [binding.pk for binding in self.bindings.values()]),
            )
            .select_related("feature_segment")
        )
        return {target_of(state): state for state in states}

    def _read_options(self, changes: Sequence[Change]) -> dict[int, int]:
        named = {
            allocation.option_id
            for change in changes
            if change.allocations is not UNCHANGED
            for allocation in change.allocations
        }
        options = (
            MultivariateOption.objects.filter(pk__in=named) if named else MultivariateOption.objects.none()
        )
        return dict(options.values_list("pk", "feature"))

    def update(self, state: FeatureState, fields: Iterable[str]) -> None:
        """Have these fields of a state written, and no other: they may have been changed meanwhile."""
        state.updated_at = timezone.now()
        self._updated[frozenset({*fields, "updated_at"})].append(state)

    def write(self) -> None:
        """Write what was gathered: a statement for each kind of it, however many states there are."""
        for fields, states in self._updated.items():
            write_columns(states, sorted(fields))
        self._updated.clear()
        self.allocations.write()

    def state_to_be(self, change: Change) -> FeatureState:
        """Return a state for the change's target that isn't saved yet, with its relations loaded."""
        return FeatureState(
            feature=self.features[change.feature_id],
            environment=self.environments[change.environment_id],
            identity=self.identities[change.identity_id] if change.identity_id else None,
        )

    def state_of(self, change: Change) -> FeatureState | None:
        """Return the state that the change names, with its relations loaded."""
        state = self.states.get(change.target)
        if state is not None:
            state.feature = self.features[change.feature_id]
            state.environment = self.environments[change.environment_id]
            if change.identity_id:
                state.identity = self.identities[change.identity_id]
            if change.segment_id and state.feature_segment:
                state.feature_segment.segment = self.segments[change.segment_id]
        return state

    def binding_of(self, change: Change) -> FeatureSegment | None:
        """Return the feature segment of the override that the change names, with its segment loaded."""
        if change.segment_id is None:
            return None
        binding = self.bindings.get((change.environment_id, change.feature_id, change.segment_id))
        if binding is not None:
            binding.segment = self.segments[change.segment_id]
        return binding

    def binding_to_be(self, change: Change) -> FeatureSegment:
        return FeatureSegment(
            feature=self.features[change.feature_id],
            environment=self.environments[change.environment_id],
            segment=self.segments[change.segment_id or 0],
        )


def _apply(change: Change, surroundings: _Surroundings, author: Author) -> FeatureState | None:
    """Make one change, and return the state that it leaves."""
    state = surroundings.state_of(change)
    if change.operation is Operation.REMOVE:
        _remove(change, state, surroundings, author)
        return None
    if state is None:
        if change.operation is Operation.UPDATE:
            raise InvalidInput({"non_field_errors": ["There is no such feature state."]})
        return _create(change, surroundings, author)
    if change.operation is Operation.CREATE:
        raise InvalidInput({"non_field_errors": [_already_there(change)]})
    _update(state, change, surroundings, author)
    return state


def _create(change: Change, surroundings: _Surroundings, author: Author) -> FeatureState:
    state = surroundings.state_to_be(change)
    if change.segment_id is not None:
        state.feature_segment = _bind(change, surroundings)
    state.enabled = False if change.enabled is UNCHANGED else change.enabled
    state.value = typed_value(state.feature.initial_value) if change.value is UNCHANGED else change.value
    state.save()
    if change.allocations is not UNCHANGED:
        surroundings.allocations.set(state, change.allocations)
    records.state_created(state, author=author)
    return state


def _bind(change: Change, surroundings: _Surroundings) -> FeatureSegment:
    """Return the feature segment of a new override: a new one, unless the caller has made it before."""
    binding = surroundings.binding_of(change)
    if binding is None:
        binding = surroundings.binding_to_be(change)
        binding.priority = priorities.make_room(change.feature_id, change.environment_id, change.priority)
        binding.save()
    elif change.priority is not None:
        priorities.move(binding, change.priority)
    return binding


def _update(state: FeatureState, change: Change, surroundings: _Surroundings, author: Author) -> None:
    """Write what is new, and only that."""
    written: list[str] = []
    if change.enabled is not UNCHANGED and change.enabled != state.enabled:
        old_enabled, state.enabled = state.enabled, change.enabled
        written += ["enabled"]
        records.enabled_changed(state, old_enabled, author=author)
    if change.value is not UNCHANGED and not same_value(change.value, state.value):
        old_value, state.value = state.value, change.value
        written += ["type", "string_value", "integer_value", "boolean_value"]
        records.value_changed(state, old_value, author=author)
    if change.allocations is not UNCHANGED and (
        shares := surroundings.allocations.set(state, change.allocations)
    ):
        written += ["updated_at"]
        records.allocations_changed(state, *shares, author=author)
    if written:
        surroundings.update(state, written)
    place = state.feature_segment
    if change.priority is not None and place is not None and priorities.move(place, change.priority):
        records.segment_overrides_reordered(state.feature, state.environment, author=author)


def _remove(change: Change, state: FeatureState | None, surroundings: _Surroundings, author: Author) -> None:
    binding = surroundings.binding_of(change)
    if binding is not None:
        priorities.remove(binding)
        records.segment_override_removed(binding, author=author)
    elif state is not None:
        state.delete()
        records.state_removed(state, author=author)
    else:
        raise InvalidInput({"non_field_errors": ["There is no such feature state."]})


def _already_there(change: Change) -> str:
    if change.segment_id is not None:
        return "The feature already has an override for this segment."
    if change.identity_id is not None:
        return "The feature already has an override for this identity."
    return "The feature already has a default state in this environment."


def same_value(one: FlagValue, other: FlagValue) -> bool:
    """Whether two values are equal and of one type: `1` is neither `"1"` nor `true`."""
    return type(one) is type(other) and one == other


def _is_one_of(field: str, ids: Iterable[int]) -> Q:
    return Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__in": list(ids)})


def _named(ids: Iterable[int | None]) -> set[int]:
    return {each for each in ids if each is not None}


def target_of(state: FeatureState) -> Target:
    """Return what a state is for. `feature_segment` should be loaded."""
    segment_id = state.feature_segment.segment_id if state.feature_segment else None
    return (state.environment_id, state.feature_id, segment_id, state.identity_id)


def check_segment_fits(segment: Segment, feature_id: int) -> None:
    """Refuse a segment that was made for another feature.

    Raises:
        InvalidInput
    """
    if segment.feature_id not in {None, feature_id}:
        reason = f"Can only create segment override(using this segment) for feature {segment.feature_id}"
        raise InvalidInput({"feature": [reason]})

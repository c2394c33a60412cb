"""Change sets: the one way in which feature states are written.

A change set is a list of "this feature, for this environment, segment or identity, becomes this". Switching
one flag is a change set of one, applied now. It names rows by their ids only, so that it can be kept,
and applied later or again.

Where an environment keeps versions, what it serves to everyone and to segments changes by a new version of
each feature, which is published at once; `apply_to_version` changes a draft. Overrides of identities are of
no version, and change in place everywhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit.services import Author, writing_together
from core.bulk import write_columns
from core.errors import GoneError, InvalidInput
from environments.models import Environment
from features.exceptions import PublishedVersionError, VersionGoneError
from features.models import (
    EnvironmentFeatureVersion,
    Feature,
    FeatureSegment,
    FeatureState,
    MultivariateOption,
)
from features.models.values import FlagValue, typed_value
from features.services import priorities, records
from features.services.allocations import Allocation, AllocationWriter
from features.services.approval import check_approval
from features.services.notices import is_listened_to, telling_of
from features.services.places import Place, Target, target_of
from features.services.versions import draft_versions, publish
from identities.models import Identity
from projects.approval import current_commission
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
        others_make_way: where the priority is taken. False: whoever makes the change set sees to it that in
            the end no two overrides have the same.
        puts_bands_in_order: whether the bands of variants that have a share already are to be in the order
            of `allocations`, too. That moves identities: it is for putting back what was.
        seed: what variants of a new state are drawn with. None: a seed of its own.
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
    others_make_way: bool = True
    puts_bands_in_order: bool = False
    seed: int | None = None

    @property
    def target(self) -> Target:
        return (self.environment_id, self.feature_id, self.segment_id, self.identity_id)

    @property
    def place(self) -> Place:
        return Place(self.environment_id, self.feature_id)


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
        GoneError: its environment was deleted meanwhile.
        ApprovalRequiredError: its environment takes changes by request only.
    """
    _refuse_repetitions(changes)
    surroundings = _Surroundings(changes)
    surroundings.check_approval(author)
    identity_ids = _named(change.identity_id for change in changes)
    with telling_of(surroundings.places_listened_to(), by=author, identity_ids=identity_ids):
        return _apply_now(changes, surroundings, author)


def _apply_now(
    changes: Sequence[Change], surroundings: "_Surroundings", author: Author
) -> list[FeatureState]:
    drafts = draft_versions(surroundings.places_of_new_versions(), author=author)
    if not drafts:
        return _apply_all(changes, surroundings, author)

    surroundings.enter(drafts)
    states = _apply_all(changes, surroundings, author)
    for place, version in drafts.items():
        version.feature = surroundings.features[place.feature_id]
        version.environment = surroundings.environments[place.environment_id]
    publish(list(drafts.values()), author=author)
    return _reread(states)


@transaction.atomic
def apply_to_version(
    version: EnvironmentFeatureVersion, changes: Sequence[Change], *, author: Author
) -> list[FeatureState]:
    """Make every change of `changes`, or none, in a version that isn't published yet.

    Args:
        changes: all of the version's feature and environment, none of an identity's override.

    Returns:
        As `apply_change_set` does.

    Raises:
        InvalidInput: as there.
        PublishedVersionError: it was published.
        VersionGoneError: it was deleted.
    """
    _refuse_repetitions(changes)
    surroundings = _Surroundings(changes)  # which locks the feature: what is read now stays true
    draft: EnvironmentFeatureVersion | None = EnvironmentFeatureVersion.objects.filter(pk=version.pk).first()
    if draft is None:
        raise VersionGoneError
    if draft.published:
        raise PublishedVersionError
    surroundings.enter({Place(draft.environment_id, draft.feature_id): draft})
    return _apply_all(changes, surroundings, author)


@transaction.atomic
def apply_to_new_features(changes: Sequence[Change], *, author: Author) -> list[FeatureState]:
    """Make every change of `changes`, or none, of features that the transaction at hand has made.

    Nobody has seen their first versions yet: so those change, where an environment keeps versions, and there
    are no second ones.

    Returns:
        As `apply_change_set` does.

    Raises:
        InvalidInput: as there.
    """
    _refuse_repetitions(changes)
    surroundings = _Surroundings(changes)
    first = EnvironmentFeatureVersion.objects.filter(
        feature__in=surroundings.features, environment__in=surroundings.environments
    )
    surroundings.enter({Place(each.environment_id, each.feature_id): each for each in first})
    return _apply_all(changes, surroundings, author)


def apply_where_it_is(
    row: FeatureState | FeatureSegment, change: Change, *, author: Author
) -> list[FeatureState]:
    """Make a change that was asked for of one row: to what is served, or to the draft that it is of.

    Raises:
        InvalidInput, PublishedVersionError, VersionGoneError: as above.
    """
    if row.is_live:
        return apply_change_set([change], author=author)
    if row.environment_feature_version is None:
        raise VersionGoneError
    return apply_to_version(row.environment_feature_version, [change], author=author)


def _refuse_repetitions(changes: Sequence[Change]) -> None:
    if len({change.target for change in changes}) < len(changes):
        raise InvalidInput({"non_field_errors": ["A feature state can only be changed once at a time."]})


def _apply_all(
    changes: Sequence[Change], surroundings: "_Surroundings", author: Author
) -> list[FeatureState]:
    with writing_together():
        states = {
            change.target: _apply(change, surroundings, author)
            # The order of new rows is the same for everyone. Segments keep theirs: it decides priorities.
            for change in sorted(changes, key=lambda c: (c.environment_id, c.feature_id, c.identity_id or 0))
        }
        surroundings.write()
    return _reread([state for change in changes if (state := states[change.target]) is not None])


def _reread(states: Sequence[FeatureState]) -> list[FeatureState]:
    """Return states as they are now, with their allocations."""
    left = (
        FeatureState.all_objects.undeleted()
        .prefetch_related("multivariate_feature_state_values")
        .select_related("feature_segment")
        .in_bulk([state.pk for state in states])
    )
    if len(left) < len(states):
        raise GoneError  # an environment is deleted without asking its features
    return [left[state.pk] for state in states]


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
        environments = Environment.objects.select_related("project").annotate(is_listened_to=is_listened_to())
        self.environments = environments.in_bulk({change.environment_id for change in changes})
        # Locked, or one that is being deleted would leave its new override behind.
        self.segments = (
            Segment.objects.filter(pk__in=_named(change.segment_id for change in changes))
            .order_by("pk")
            .select_for_update(no_key=True)
            .in_bulk()
        )
        self.identities = Identity.objects.in_bulk(_named(change.identity_id for change in changes))
        self.changes = changes
        for change in changes:
            self._check(change)
        self.allocations = AllocationWriter(self._read_options(changes))
        self._updated: dict[frozenset[str], list[FeatureState]] = defaultdict(list)
        self.enter({})
        self._seeds = {target: state.seed for target, state in self.states.items()}

    def check_approval(self, author: Author) -> None:
        """Refuse what takes a change request. Overrides of identities never do."""
        for feature_id, feature in self.features.items():
            named = {
                change.environment_id
                for change in self.changes
                if change.feature_id == feature_id and change.identity_id is None
            }
            check_approval([self.environments[each] for each in sorted(named)], [feature], author=author)

    def enter(self, versions: Mapping[Place, EnvironmentFeatureVersion]) -> None:
        """Look, in these places, at the rows of versions, and elsewhere at those that are served."""
        self._versions = versions
        self.bindings = self._read_bindings()
        self.states = self._read_states()

    def places_listened_to(self) -> set[Place]:
        """Return where a change is told to webhooks."""
        listened_to = {pk for pk, each in self.environments.items() if each.is_listened_to}
        return {change.place for change in self.changes if change.environment_id in listened_to}

    def places_of_new_versions(self) -> list[Place]:
        """Return where versions are kept and a change would make a difference, in the order of locks."""
        places = {
            change.place
            for change in self.changes
            if change.identity_id is None
            and self.environments[change.environment_id].use_v2_feature_versioning
            and self._makes_a_difference(change)
        }
        return sorted(places, key=lambda place: (place.feature_id, place.environment_id))

    def _makes_a_difference(self, change: Change) -> bool:
        state = self.states.get(change.target)
        if state is None or change.operation in {Operation.CREATE, Operation.REMOVE}:
            return True
        shares = {
            each.multivariate_feature_option_id: each.percentage_allocation
            for each in state.multivariate_feature_state_values.all()
        }
        return (
            change.enabled not in {UNCHANGED, state.enabled}
            or (change.value is not UNCHANGED and not same_value(change.value, state.value))
            or (
                change.allocations is not UNCHANGED
                and {each.option_id: each.percentage for each in change.allocations} != shares
            )
            or (
                change.priority is not None
                and state.feature_segment is not None
                and state.feature_segment.priority != change.priority
            )
        )

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
        bindings = FeatureSegment.all_objects.undeleted().filter(
            self._in_sight(),
            feature__in=self.features,
            environment__in=self.environments,
            segment__in=self.segments,
        )
        return {
            (each.environment_id, each.feature_id, each.segment_id): each
            for each in bindings
            if self._sees(each)
        }

    def _read_states(self) -> dict[Target, FeatureState]:
        states = (
            FeatureState.all_objects.undeleted()
            .filter(self._in_sight(), feature__in=self.features, environment__in=self.environments)
            .filter(
                _is_one_of("identity", self.identities),
                _is_one_of("feature_segment", [binding.pk for binding in self.bindings.values()]),
            )
            .select_related("feature_segment")
            .prefetch_related("multivariate_feature_state_values")
        )
        return {target_of(state): state for state in states if state.identity_id or self._sees(state)}

    def _in_sight(self) -> Q:
        if not self._versions:
            return Q(is_live=True)
        return Q(is_live=True) | Q(environment_feature_version__in=self._versions.values())

    def _sees(self, row: FeatureSegment | FeatureState) -> bool:
        """Whether a row is one of those that are to be changed in its place."""
        version = self._versions.get(Place(row.environment_id, row.feature_id))
        return row.is_live if version is None else row.environment_feature_version_id == version.pk

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
        state.change_request_id = _request_id()
        self._updated[frozenset({*fields, "updated_at", "change_request_id"})].append(state)

    def write(self) -> None:
        """Write what was gathered: a statement for each kind of it, however many states there are."""
        for fields, states in self._updated.items():
            write_columns(states, sorted(fields))
        self._updated.clear()
        self.allocations.write()

    def state_to_be(self, change: Change) -> FeatureState:
        """Return a state for the change's target that isn't saved yet, with its relations loaded."""
        version = self._versions.get(change.place)
        state = FeatureState(
            feature=self.features[change.feature_id],
            environment=self.environments[change.environment_id],
            identity=self.identities[change.identity_id] if change.identity_id else None,
            change_request_id=_request_id(),
        )
        if version is not None and state.identity is None:
            state.environment_feature_version, state.is_live = version, False
            state.version, state.live_from = None, None
            # An override that is made anew in a draft gives everyone the variant that they have.
            state.hash_seed = self._seeds.get(change.target)
        return state

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
        version = self._versions.get(change.place)
        return FeatureSegment(
            feature=self.features[change.feature_id],
            environment=self.environments[change.environment_id],
            segment=self.segments[change.segment_id or 0],
            environment_feature_version=version,
            is_live=version is None,
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
    if change.seed is not None:
        state.hash_seed = change.seed
    state.save()
    if change.allocations is not UNCHANGED:
        surroundings.allocations.set(state, change.allocations, in_order=change.puts_bands_in_order)
    is_override = change.segment_id is not None or change.identity_id is not None
    default = surroundings.states.get((change.environment_id, change.feature_id, None, None))
    records.state_created(state, default=default if is_override else None, author=author)
    return state


def _bind(change: Change, surroundings: _Surroundings) -> FeatureSegment:
    """Return the feature segment of a new override: a new one, unless the caller has made it before."""
    binding = surroundings.binding_of(change)
    if binding is None:
        binding = surroundings.binding_to_be(change)
        if change.priority is not None and not change.others_make_way:
            binding.priority = change.priority
        else:
            binding.priority = priorities.make_room(binding, change.priority)
        binding.save()
    elif change.priority is not None:
        priorities.move(binding, change.priority, others_make_way=change.others_make_way)
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
        shares := surroundings.allocations.set(state, change.allocations, in_order=change.puts_bands_in_order)
    ):
        written += ["updated_at"]
        records.allocations_changed(state, *shares, author=author)
    if written:
        surroundings.update(state, written)
    place = state.feature_segment
    if change.priority is None or place is None:
        return
    if priorities.move(place, change.priority, others_make_way=change.others_make_way):
        records.segment_overrides_reordered(place, author=author)


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


def _request_id() -> int | None:
    """Return the id of the change request that is being carried out."""
    commission = current_commission()
    return commission.request_id if commission else None


def same_value(one: FlagValue, other: FlagValue) -> bool:
    """Whether two values are equal and of one type: `1` is neither `"1"` nor `true`."""
    return type(one) is type(other) and one == other


def _is_one_of(field: str, ids: Iterable[int]) -> Q:
    return Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__in": list(ids)})


def _named(ids: Iterable[int | None]) -> set[int]:
    return {each for each in ids if each is not None}


def check_segment_fits(segment: Segment, feature_id: int) -> None:
    """Refuse a segment that was made for another feature.

    Raises:
        InvalidInput
    """
    if segment.feature_id not in {None, feature_id}:
        reason = f"Can only create segment override(using this segment) for feature {segment.feature_id}"
        raise InvalidInput({"feature": [reason]})

"""All that a feature serves in one environment, read and written at once.

A wanted flag has the properties that were sent, by name, and `segment_overrides` by their segments. What
isn't in it stays (`patch_flag`), or is as it is without anyone's doing (`put_flag`).
"""

from collections.abc import Sequence
from typing import Any, TypedDict

from django.db import transaction

from audit.services import Author
from core.errors import DomainError, InvalidInput
from environments.models import Environment
from features.models import Feature, FeatureState
from features.models.values import FlagValue
from features.selectors.feature_states import served_states
from features.services.allocations import Allocation
from features.services.change_sets import Change, Operation, apply_change_set
from features.services.versions import lock_feature
from segments.models import Segment


class WantedState(TypedDict, total=False):
    enabled: bool
    value: FlagValue
    allocations: tuple[Allocation, ...]


class WantedOverride(WantedState, total=False):
    segment_id: int
    priority: int


class WantedFlag(TypedDict, total=False):
    environment_default: WantedState
    segment_overrides: Sequence[WantedOverride]


class DuplicatePriorityError(DomainError):
    """Two overrides would have the same place."""

    code = "duplicate_priority"

    def __init__(self, priority: int) -> None:
        super().__init__(f"Duplicate priority: {priority}.")


@transaction.atomic
def patch_flag(feature: Feature, environment: Environment, wanted: WantedFlag, *, author: Author) -> None:
    """Change what is named, and nothing else. What a new override doesn't say is as it is for everyone.

    Raises:
        InvalidInput: a segment isn't the project's or is another feature's, or shares don't fit.
        DuplicatePriorityError
    """
    default, overrides = _served(feature, environment)
    everyone = {**_content(default), **wanted.get("environment_default", {})}
    changes = _Changes(feature, environment)
    if "environment_default" in wanted:
        changes.set_default(everyone)
    if "segment_overrides" in wanted:
        named = _named(wanted["segment_overrides"], feature, environment)
        kept = {
            segment_id: {**_content(state), "priority": _priority(state)}
            for segment_id, state in overrides.items()
        }
        new = {
            segment_id: {**kept.get(segment_id, {**everyone, "priority": position}), **override}
            for position, (segment_id, override) in enumerate(named.items())
        }
        changes.set_overrides(kept | new, overrides)
    apply_change_set(changes.all, author=author)


@transaction.atomic
def put_flag(feature: Feature, environment: Environment, wanted: WantedFlag, *, author: Author) -> None:
    """Make the parts that are named exactly what is said of them.

    For everyone, what isn't said is off and empty; an override has it as it is for everyone. Overrides that
    aren't in the list are taken away.

    Raises:
        InvalidInput, DuplicatePriorityError: as above.
    """
    default, overrides = _served(feature, environment)
    everyone = _content(default)
    changes = _Changes(feature, environment)
    if "environment_default" in wanted:
        everyone = {**everyone, "enabled": False, "value": None, **wanted["environment_default"]}
        changes.set_default(everyone)
    if "segment_overrides" in wanted:
        named = _named(wanted["segment_overrides"], feature, environment)
        new = {
            segment_id: {**everyone, "priority": position, **override}
            for position, (segment_id, override) in enumerate(named.items())
        }
        changes.set_overrides(new, overrides)
    apply_change_set(changes.all, author=author)


class _Changes:
    """The change set of one flag."""

    def __init__(self, feature: Feature, environment: Environment) -> None:
        self.place = (feature.pk, environment.pk)
        self.all: list[Change] = []

    def set_default(self, content: dict[str, Any]) -> None:
        self.all.append(Change(*self.place, operation=Operation.UPDATE, **_columns(content)))

    def set_overrides(self, wanted: dict[int, dict[str, Any]], served: dict[int, FeatureState]) -> None:
        """Have these overrides and no others, each at its place."""
        self.all += [
            Change(*self.place, segment_id=segment_id, operation=Operation.REMOVE)
            for segment_id in served
            if segment_id not in wanted
        ]
        taken: set[int] = set()
        for segment_id, override in sorted(wanted.items(), key=lambda each: each[1]["priority"]):
            if override["priority"] in taken:
                raise DuplicatePriorityError(override["priority"])
            taken.add(override["priority"])
            self.all.append(
                Change(
                    *self.place,
                    segment_id=segment_id,
                    priority=override["priority"],
                    others_make_way=False,
                    **_columns(override),
                )
            )


def _served(feature: Feature, environment: Environment) -> tuple[FeatureState, dict[int, FeatureState]]:
    """Return what is served to everyone, and to segments, once nobody else can change it."""
    lock_feature(feature.pk)
    return states_by_segment(feature, environment)


def states_by_segment(
    feature: Feature, environment: Environment
) -> tuple[FeatureState, dict[int, FeatureState]]:
    """Return what is served to everyone, and to segments by their ids, in their order."""
    states = served_states().filter(feature=feature, environment=environment, identity__isnull=True)
    in_order = states.select_related("feature_segment").order_by("feature_segment__priority", "pk")
    default = next(state for state in in_order if state.feature_segment is None)
    return default, {state.feature_segment.segment_id: state for state in in_order if state.feature_segment}


def _named(
    overrides: Sequence[WantedOverride], feature: Feature, environment: Environment
) -> dict[int, dict[str, Any]]:
    """Return overrides by the ids of their segments.

    Raises:
        InvalidInput: a segment isn't the project's.
    """
    named = {each["segment_id"]: dict(each) for each in overrides}
    known = Segment.objects.filter(pk__in=named, project=environment.project_id)
    if set(named) - set(known.values_list("pk", flat=True)):
        raise InvalidInput({"segment_overrides": ["Segment not found."]})
    return named


def _content(state: FeatureState) -> dict[str, Any]:
    return {
        "enabled": state.enabled,
        "value": state.value,
        "allocations": tuple(
            Allocation(each.multivariate_feature_option_id, each.percentage_allocation)
            for each in state.multivariate_feature_state_values.all()
        ),
    }


def _columns(content: dict[str, Any]) -> dict[str, Any]:
    return {name: content[name] for name in ("enabled", "value", "allocations")}


def _priority(state: FeatureState) -> int:
    return state.feature_segment.priority if state.feature_segment else 0

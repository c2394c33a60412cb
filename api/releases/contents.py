"""What features serve, by what it is for: compared, and turned into change sets."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import Q

from features.models import FeatureState
from features.models.values import FlagValue
from features.services.allocations import Allocation
from features.services.change_sets import UNCHANGED, Change, Operation, same_value
from features.services.places import Place, Target, target_of

ENABLED: Final = "enabled"
VALUE: Final = "feature_state_value"
SHARES: Final = "multivariate_feature_state_values"
PRIORITY: Final = "priority"
# What a feature state says, by the names that it has on the wire.
FIELDS: Final = (ENABLED, VALUE, SHARES, PRIORITY)


@dataclass(frozen=True)
class Content:
    """What one feature state says.

    Attributes:
        allocations: the variants' shares, in the order of their bands.
        priority: of a segment override; else None.
        seed: what variants are drawn with.
    """

    enabled: bool
    value: FlagValue
    allocations: tuple[Allocation, ...]
    priority: int | None
    seed: int

    def field(self, name: str) -> Any:
        """Return what it says under one of `FIELDS`, as the wire has it."""
        if name == SHARES:
            return [
                {
                    "multivariate_feature_option": each.option_id,
                    "percentage_allocation": float(each.percentage),
                }
                for each in self.allocations
            ]
        return {ENABLED: self.enabled, VALUE: self.value, PRIORITY: self.priority}[name]

    def with_fields_of(self, other: "Content", names: Collection[str]) -> "Content":
        """Return this with some fields as `other` has them."""
        return Content(
            other.enabled if ENABLED in names else self.enabled,
            other.value if VALUE in names else self.value,
            other.allocations if SHARES in names else self.allocations,
            other.priority if PRIORITY in names else self.priority,
            self.seed,
        )


# What there is; None, or nothing, where there is no state.
Contents = Mapping[Target, Content]
Wanted = Mapping[Target, Content | None]


def place_of(target: Target) -> Place:
    return Place(target[0], target[1])


def is_default(target: Target) -> bool:
    return target[2] is None and target[3] is None


def differing(one: Content | None, other: Content | None) -> list[str]:
    """Return the names of the fields in which two contents differ; all, where one of them isn't there."""
    if one is None or other is None:
        there = one or other
        return [] if there is None else [name for name in FIELDS if _has(there, name)]
    return [name for name in FIELDS if not _are_same(name, one, other)]


def differing_in_substance(one: Content | None, other: Content | None) -> list[str]:
    """Return the same without the place in the order, which changes by what happens to others."""
    return [name for name in differing(one, other) if name != PRIORITY]


def _has(content: Content, name: str) -> bool:
    return content.field(name) not in ([], None) or name in {ENABLED, VALUE}


def _are_same(name: str, one: Content, other: Content) -> bool:
    if name == VALUE:
        return same_value(one.value, other.value)
    if name == SHARES:  # in whichever order: that is nothing that anybody sets
        return _by_option(one) == _by_option(other)
    return bool(one.field(name) == other.field(name))


def _by_option(content: Content) -> dict[int, float]:
    return {each.option_id: float(each.percentage) for each in content.allocations}


def served(
    environment_id: int, feature_ids: Collection[int] | None = None, identity_ids: Collection[int] = ()
) -> dict[Target, Content]:
    """Return what features serve now: to everyone, to segments, and to some identities.

    Args:
        feature_ids: None: all of them.
    """
    states = FeatureState.objects.filter(
        Q(identity__isnull=True) | Q(identity__in=identity_ids),
        Q(feature_segment__isnull=True)
        | Q(
            feature_segment__deleted_at__isnull=True,
            feature_segment__is_live=True,
            feature_segment__segment__deleted_at__isnull=True,
        ),
        environment=environment_id,
        feature__deleted_at__isnull=True,
    )
    if feature_ids is not None:
        states = states.filter(feature__in=feature_ids)
    states = states.select_related("feature_segment").prefetch_related("multivariate_feature_state_values")
    return {target_of(state): content_of(state) for state in states.order_by("feature", "pk")}


def content_of(state: FeatureState) -> Content:
    """Return what a state says. Its feature segment should be loaded."""
    return Content(
        state.enabled,
        state.value,
        tuple(
            Allocation(each.multivariate_feature_option_id, each.percentage_allocation)
            for each in state.multivariate_feature_state_values.all()
        ),
        state.feature_segment.priority if state.feature_segment else None,
        state.seed,
    )


def orders(contents: Contents) -> dict[Place, list[int]]:
    """Return the segments that override each feature, in the order in which they are tried."""
    found: dict[Place, list[tuple[int, int]]] = defaultdict(list)
    for target, content in contents.items():
        if target[2] is not None:
            found[place_of(target)].append((content.priority or 0, target[2]))
    return {place: [segment_id for _, segment_id in sorted(each)] for place, each in found.items()}


def change_set(now: Contents, wanted: Wanted) -> list[Change]:
    """Return the changes that make of what there is what is wanted, of the targets that `wanted` names.

    Overrides that go are taken away first. That moves up those after them, so that some may have the place
    already that is wanted.
    """
    changes = []
    by_place: dict[Place, list[Target]] = defaultdict(list)
    for target in wanted:
        by_place[place_of(target)].append(target)
    for place in sorted(by_place):
        targets = sorted(by_place[place], key=_first_what_goes(wanted))
        gone = {target for target in targets if wanted[target] is None}
        moved_up = closed_up({key: each for key, each in now.items() if place_of(key) == place}, gone)
        changes += [
            _change(target, moved_up.get(target, now.get(target)), wanted[target]) for target in targets
        ]
    return [change for change in changes if change is not None]


def closed_up(now: Contents, gone: Collection[Target]) -> dict[Target, Content]:
    """Return the overrides of one feature that are left when some are taken away, at their new places."""
    left = dict(now)
    for target in gone:
        removed = left.pop(target, None)
        if removed is None or removed.priority is None:
            continue
        for other, content in left.items():
            if content.priority is not None and content.priority > removed.priority:
                left[other] = replace(content, priority=content.priority - 1)
    return left


def _first_what_goes(wanted: Wanted) -> Any:
    def key(target: Target) -> tuple[bool, int, int, int]:
        content = wanted[target]
        priority = content.priority if content is not None and content.priority is not None else -1
        return (content is not None, priority, target[2] or 0, target[3] or 0)

    return key


def _change(target: Target, now: Content | None, wanted: Content | None) -> Change | None:
    environment_id, feature_id, segment_id, identity_id = target
    where: dict[str, Any] = {"segment_id": segment_id, "identity_id": identity_id}
    if wanted is None:
        return Change(feature_id, environment_id, operation=Operation.REMOVE, **where)
    if now is None:
        where |= {"operation": Operation.CREATE, "seed": wanted.seed}
    else:
        where |= {"operation": Operation.UPDATE}
    new = set(differing(now, wanted))
    if not new:
        return None
    return Change(
        feature_id,
        environment_id,
        enabled=wanted.enabled if ENABLED in new else UNCHANGED,
        value=wanted.value if VALUE in new else UNCHANGED,
        allocations=wanted.allocations if SHARES in new else UNCHANGED,
        priority=wanted.priority if PRIORITY in new else None,
        others_make_way=False,
        puts_bands_in_order=True,
        **where,
    )


@dataclass(frozen=True)
class Difference:
    """What is, or would be, different of one feature state. None: there is, or would be, no such state."""

    target: Target
    old: Content | None
    new: Content | None

    @property
    def fields(self) -> list[str]:
        return differing(self.old, self.new)


def differences(old: Contents, new: Wanted, targets: Iterable[Target] | None = None) -> list[Difference]:
    """Return where two contents differ: of `targets`, or of all that they have. In the order of features."""
    named = old.keys() | new.keys() if targets is None else targets
    found = [Difference(target, old.get(target), new.get(target)) for target in named]
    return sorted(
        (each for each in found if each.fields),
        key=lambda each: (each.target[1], each.target[3] or 0, each.target[2] or 0),
    )

"""What it takes to undo a change, without touching what somebody has changed since. Pure: no queries.

A change is told by what there was before it and after it. Field by field: what is still as the change has
left it becomes what it was; what is that already stays; anything else somebody has edited since, and is a
conflict. An override that the change has made is taken away, and one that it took away is made again, with
the seed that gives everyone the variant that they had.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from features.services.places import Place, Target
from releases.contents import (
    PRIORITY,
    SHARES,
    Content,
    Contents,
    differing,
    differing_in_substance,
    is_default,
    orders,
    place_of,
)
from releases.orders import give_places, in_same_order, members_of, merged


@dataclass(frozen=True)
class Conflict:
    """What of a state was edited since. None: there was, or is, no such state."""

    target: Target
    fields: list[str]
    before: Content | None
    after: Content | None
    now: Content | None


@dataclass(frozen=True)
class Impossible:
    """What no change set can bring back."""

    target: Target
    reason: str


@dataclass(frozen=True)
class Rows:
    """What of a project is still there."""

    features: Collection[int]
    segments: Collection[int]
    identities: Collection[int]
    options: Collection[int]


@dataclass
class Reversal:
    """What is to be, and what can't be.

    Attributes:
        wanted: what there is to be of each state that becomes another one. None: no state.
    """

    wanted: dict[Target, Content | None] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    impossible: list[Impossible] = field(default_factory=list)


def reverse(before: Contents, after: Contents, now: Contents, there: Rows) -> Reversal:
    """Return what undoes a change.

    Args:
        before, after: around the change, of what it touched and of the overrides beside it.
        now: of the same features.
        there: what can be referred to.
    """
    reversal = Reversal()
    touched = [
        target for target in before.keys() | after.keys() if differing(before.get(target), after.get(target))
    ]
    for target in sorted(touched, key=lambda each: (each[1], each[3] or 0, each[2] or 0)):
        was, became, is_now = before.get(target), after.get(target), now.get(target)
        if reason := _obstacle(target, was, became, there):
            reversal.impossible.append(Impossible(target, reason))
        elif was is None or became is None:
            _reverse_existence(reversal, target, was, became, is_now)
        else:
            _reverse_fields(reversal, target, was, became, is_now)
    for place, targets in _by_place(touched).items():
        _reverse_order(reversal, place, targets, before, after, now)
    return reversal


def _obstacle(target: Target, was: Content | None, became: Content | None, there: Rows) -> str | None:
    """Return why a state can't be what it was."""
    _, feature_id, segment_id, identity_id = target
    if feature_id not in there.features:
        return "The feature was deleted."
    if is_default(target) and (was is None or became is None):
        return "The state came or went with its feature or its environment."
    if segment_id is not None and segment_id not in there.segments:
        return "The segment was deleted."
    if identity_id is not None and identity_id not in there.identities:
        return "The identity was deleted."
    if (
        was is not None
        and SHARES in differing(was, became)
        and any(each.option_id not in there.options for each in was.allocations)
    ):
        return "A variant was deleted."
    return None


def _reverse_existence(
    reversal: Reversal, target: Target, was: Content | None, became: Content | None, now: Content | None
) -> None:
    """Undo that an override came or went."""
    if now is None:
        if was is not None:
            reversal.wanted[target] = was
        return
    if edited := differing_in_substance(became or was, now):
        reversal.conflicts.append(Conflict(target, edited, was, became, now))
    elif was is None:
        reversal.wanted[target] = None


def _reverse_fields(
    reversal: Reversal, target: Target, was: Content, became: Content, now: Content | None
) -> None:
    """Undo what became of each field; its place in the order apart."""
    changed = differing_in_substance(was, became)
    if now is None:
        if changed:
            reversal.conflicts.append(Conflict(target, changed, was, became, None))
        return
    open_fields = [name for name in changed if name in differing(was, now)]
    edited = [name for name in open_fields if name in differing(became, now)]
    if edited:
        reversal.conflicts.append(Conflict(target, edited, was, became, now))
    if untouched := [name for name in open_fields if name not in edited]:
        reversal.wanted[target] = now.with_fields_of(was, untouched)


def _reverse_order(
    reversal: Reversal,
    place: Place,
    touched: Iterable[Target],
    before: Contents,
    after: Contents,
    now: Contents,
) -> None:
    """Put the overrides of a feature into the order that they had, unless somebody has moved them since."""
    moved = [target for target in touched if PRIORITY in differing(before.get(target), after.get(target))]
    if not moved:
        return
    was, became, is_now = (orders(each).get(place, []) for each in (before, after, now))
    there = {target: content for target, content in now.items() if place_of(target) == place and target[2]}
    members = members_of(place, there, reversal.wanted)
    base = is_now
    if not in_same_order(was, became) and not in_same_order(is_now, was):
        if in_same_order(is_now, became):
            base = was
        else:
            reversal.conflicts += [
                Conflict(target, [PRIORITY], before[target], after[target], now[target])
                for target in moved
                if target in before and target in after and target in now
            ]
    order = merged(base, was if base is is_now else is_now, members)
    give_places(reversal.wanted, place, order, there, before, as_in_model=True)


def _by_place(targets: Iterable[Target]) -> dict[Place, list[Target]]:
    found = defaultdict(list)
    for target in targets:
        if target[2] is not None:
            found[place_of(target)].append(target)
    return found

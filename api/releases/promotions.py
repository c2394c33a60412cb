"""What it takes to carry over what one environment serves to another. Pure: no queries.

Contents of both are compared as if they were of one environment, the target: features, segments and variants
are the project's, and have the same ids in both. Overrides of identities are never part of it: identities are
each environment's own.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from features.services.places import Place, Target
from releases.contents import (
    FIELDS,
    PRIORITY,
    Content,
    Contents,
    Difference,
    differences,
    differing_in_substance,
    orders,
    place_of,
)
from releases.orders import give_places, in_same_order, members_of, merged


class Kind(Enum):
    """What of a feature is carried over."""

    DEFAULT = "environment_default"
    OVERRIDE = "segment_override"


@dataclass(frozen=True)
class Choice:
    """What somebody has chosen of a feature: everything, one kind of it, one override, some fields of it."""

    feature_id: int
    kind: Kind | None = None
    segment_id: int | None = None
    fields: tuple[str, ...] = FIELDS

    def takes(self, target: Target) -> bool:
        _, feature_id, segment_id, _ = target
        kind = Kind.DEFAULT if segment_id is None else Kind.OVERRIDE
        return (
            feature_id == self.feature_id
            and self.kind in {None, kind}
            and self.segment_id in {None, segment_id}
        )


def moved(contents: Contents, environment_id: int) -> dict[Target, Content]:
    """Return contents as if they were another environment's."""
    return {
        (environment_id, feature_id, segment_id, None): content
        for (_, feature_id, segment_id, identity_id), content in contents.items()
        if identity_id is None
    }


def compare(source: Contents, target: Contents) -> list[Difference]:
    """Return what would have to become of the target for it to serve what the source does.

    Where overrides stand in the same order, other numbers are no difference.
    """
    source = _with_numbers_of(target, source)
    return differences(target, source)


def promote(source: Contents, target: Contents, choices: Sequence[Choice]) -> dict[Target, Content | None]:
    """Return what there is to be in the target of each state that becomes another one.

    The order of a feature's overrides becomes the source's if all are chosen that stand elsewhere in it;
    otherwise those that are there keep theirs, and new ones follow those that they follow in the source.
    """
    wanted: dict[Target, Content | None] = {}
    involved: set[Place] = set()
    moved_ones: dict[Place, set[Target]] = defaultdict(set)
    chosen_ones: dict[Place, set[Target]] = defaultdict(set)
    for each in compare(source, target):
        place = place_of(each.target)
        names = {name for choice in choices if choice.takes(each.target) for name in choice.fields}
        if PRIORITY in each.fields and each.old is not None and each.new is not None:
            moved_ones[place].add(each.target)
        if not names:
            continue
        if each.old is None or each.new is None:
            involved.add(place)
        elif PRIORITY in names.intersection(each.fields):
            involved.add(place)
            chosen_ones[place].add(each.target)
        if each.new is None:
            wanted[each.target] = None
        elif each.old is None:  # as a whole: there is nothing that the other fields could stay
            wanted[each.target] = each.new
        elif taken := names.intersection(differing_in_substance(each.old, each.new)):
            wanted[each.target] = each.old.with_fields_of(each.new, taken)
    for place in sorted(involved):
        _order(wanted, place, source, target, takes_order=chosen_ones[place] >= moved_ones[place])
    return wanted


def _order(
    wanted: dict[Target, Content | None],
    place: Place,
    source: Contents,
    target: Contents,
    *,
    takes_order: bool,
) -> None:
    there = {each: content for each, content in target.items() if place_of(each) == place and each[2]}
    members = members_of(place, there, wanted)
    of_source, of_target = (orders(each).get(place, []) for each in (source, target))
    order = merged(of_source, of_target, members) if takes_order else merged(of_target, of_source, members)
    give_places(wanted, place, order, there, source, as_in_model=False)


def _with_numbers_of(target: Contents, source: Contents) -> dict[Target, Content]:
    """Return the source's contents; with the target's numbers, where they say the same order."""
    result = dict(source)
    in_target = orders(target)
    for place, order in orders(source).items():
        if not in_same_order(order, in_target.get(place, [])):
            continue
        for segment_id in order:
            key = (*place, segment_id, None)
            if key in target:
                result[key] = replace(result[key], priority=target[key].priority)
    return result

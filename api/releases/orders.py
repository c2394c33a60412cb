"""The order of a feature's segment overrides, where two sides have changed it."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from features.services.places import Place, Target
from releases.contents import Content, Contents, Wanted, closed_up, place_of


def merged(order: Sequence[int], other: Sequence[int], members: Collection[int]) -> list[int]:
    """Put `members` in `order`; those that it doesn't have follow those that they follow in `other`.

    >>> merged([3, 1], [1, 2, 3], {1, 2, 3})
    [3, 1, 2]
    """
    result = [each for each in order if each in members]
    for index, each in enumerate(other):
        if each in members and each not in result:
            before = [one for one in other[:index] if one in result]
            result.insert(result.index(before[-1]) + 1 if before else 0, each)
    return result


def in_same_order(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether what two orders have in common stands in the same order in both."""
    return [each for each in one if each in other] == [each for each in other if each in one]


def members_of(place: Place, now: Contents, wanted: Wanted) -> set[int]:
    """Return the segments that will override a feature."""
    segments = {target[2] for target in now if place_of(target) == place}
    for target, content in wanted.items():
        if place_of(target) == place:
            segments = segments - {target[2]} if content is None else segments | {target[2]}
    return {each for each in segments if each is not None}


def give_places(
    wanted: dict[Target, Content | None],
    place: Place,
    order: Sequence[int],
    now: Contents,
    model: Contents,
    *,
    as_in_model: bool,
) -> None:
    """Have the overrides of a feature tried in `order`: by the priorities that there are, or of a model.

    Args:
        wanted: what is to become of them, as far as it is known. What gets another priority is added.
        now: the overrides that there are.
        as_in_model: whose priorities are taken where both say this order.
    """
    gone = [target for target, content in wanted.items() if content is None and place_of(target) == place]
    moved_up, in_model = _priorities(closed_up(now, gone), place), _priorities(model, place)
    known = (in_model, moved_up) if as_in_model else (moved_up, in_model)
    for segment_id, priority in _numbered(order, *known).items():
        target = (*place, segment_id, None)
        content = wanted.get(target) or now[target]
        # Also what stays where it is, but would move up by itself.
        if target in wanted or {content.priority, moved_up.get(segment_id)} != {priority}:
            wanted[target] = replace(content, priority=priority)


def _priorities(contents: Contents, place: Place) -> dict[int, int]:
    return {
        target[2]: content.priority or 0
        for target, content in contents.items()
        if place_of(target) == place and target[2] is not None
    }


def _numbered(order: Sequence[int], *known: dict[int, int]) -> dict[int, int]:
    """Return a priority for each of `order`: those of the first of `known` that says the very same order."""
    for priorities in known:
        if priorities.keys() == set(order) and sorted(order, key=priorities.__getitem__) == list(order):
            return priorities
    return {each: index for index, each in enumerate(order)}

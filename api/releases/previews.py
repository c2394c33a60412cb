"""What environments' documents would differ in, if something were done: it is done, and undone.

The documents are those that SDKs are served, by the one builder there is. So a preview knows of everything
that has an effect, whichever way it comes about.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from documents.builder import BuiltEnvironment, build
from documents.rows import read_rows_for
from environments.models import Environment
from projects.approval import trying_out
from releases.contents import ENABLED, PRIORITY, SHARES, VALUE

# What variants are drawn with: where that is another, people get another one.
SEED = "hashing_seed"

# feature, segment, identity
Key = tuple[int, int | None, int | None]
Said = dict[str, Any]


@dataclass(frozen=True)
class StateDifference:
    """What a document would say otherwise of one feature state. None: it doesn't have it."""

    key: Key
    old: Said | None
    new: Said | None

    @property
    def fields(self) -> list[str]:
        old, new = self.old or {}, self.new or {}
        return [name for name in old | new if not _same(old.get(name), new.get(name))]


@dataclass(frozen=True)
class SegmentDifference:
    """What a document would say otherwise of a segment itself."""

    segment_id: int
    old: Said
    new: Said

    @property
    def fields(self) -> list[str]:
        return [name for name in self.old | self.new if self.old.get(name) != self.new.get(name)]


@dataclass(frozen=True)
class Preview:
    """What would become of one environment's document.

    Attributes:
        segment_names: of all that are in it, also of those that only the document has.
    """

    environment: Environment
    states: list[StateDifference]
    segments: list[SegmentDifference]
    segment_names: dict[int, str]


def preview(
    make: Callable[[], object], environments: Iterable[Environment], *, identity_ids: Collection[int] = ()
) -> list[Preview]:
    """Return what would become of environments' documents if `make` were done. Nothing of it stays.

    Args:
        identity_ids: whose overrides may change. Others' aren't looked at: there may be a great many.

    Raises:
        DomainError: it can't be done.
    """
    places = list(environments)
    with transaction.atomic(), trying_out():
        before = [_document(each, identity_ids) for each in places]
        make()
        after = [_document(each, identity_ids) for each in places]
        transaction.set_rollback(True)
    return [_compare(*each) for each in zip(places, before, after, strict=True)]


def _document(environment: Environment, identity_ids: Collection[int]) -> BuiltEnvironment:
    # What each state itself says: prerequisites make of it what SDKs are served, and stay what they are.
    return build(replace(read_rows_for(identity_ids, environment.pk), prerequisites=[]))


def _compare(environment: Environment, before: BuiltEnvironment, after: BuiltEnvironment) -> Preview:
    old, new = _states(before), _states(after)
    states = [StateDifference(key, old.get(key), new.get(key)) for key in sorted(old | new, key=_in_order)]
    was, becomes = _segments(before), _segments(after)
    segments = [
        SegmentDifference(segment_id, was.get(segment_id, {}), becomes.get(segment_id, {}))
        for segment_id in sorted(was.keys() | becomes.keys())
    ]
    return Preview(
        environment,
        [each for each in states if each.fields],
        [each for each in segments if each.fields],
        {segment_id: each["name"] for segment_id, each in {**was, **becomes}.items()},
    )


def _states(built: BuiltEnvironment) -> dict[Key, Said]:
    document = built.document
    found: dict[Key, Said] = {
        (state["feature"]["id"], None, None): _said(state) for state in document["feature_states"]
    }
    for segment in document["project"]["segments"]:
        for state in segment.get("feature_states", ()):
            found[state["feature"]["id"], segment["id"], None] = _said(state)
    for identity_id, identity in built.identity_overrides.items():
        for state in identity["identity_features"]:
            found[state["feature"]["id"], None, identity_id] = _said(state)
    return found


def _said(state: Any) -> Said:
    """Return what a document says of a state. Rows' own numbers don't count."""
    shares = [
        {
            "multivariate_feature_option": each["multivariate_feature_option"].get("id"),
            "percentage_allocation": each["percentage_allocation"],
        }
        for each in state.get("multivariate_feature_state_values", ())
    ]
    place = state.get("feature_segment")
    said: Said = {ENABLED: state["enabled"], VALUE: state["feature_state_value"], SHARES: shares}
    if place:
        said[PRIORITY] = place["priority"]
    if shares:
        said[SEED] = state.get("django_id")
    return said


def _segments(built: BuiltEnvironment) -> dict[int, Said]:
    """Return what a document says of segments. Those made for one feature come and go with its overrides."""
    return {
        each["id"]: {"name": each["name"], "rules": each["rules"]}
        for each in built.document["project"]["segments"]
    }


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _in_order(key: Key) -> tuple[int, int, int]:
    return (key[0], key[2] or 0, key[1] or 0)

"""Prerequisites in an environment document, as whatever evaluates it understands them: as segments.

A condition may read another flag: `$.flags.payments.enabled` (the Flagsmith SDK contract, "Flag
dependencies"). So what a feature needs becomes segments that override it, made up here:

- `prerequisite not met: payments` matches where payments isn't as required, and switches the feature off. It
  stands before all other overrides for segments. An identity's own override counts still more, as always.
- Without identity no segment is looked at, so the default state says what nobody in particular is served.
  Where that is "off", `prerequisites met` matches whoever has all that is needed, and gives the feature's own
  default state, after all other overrides.

Off means: disabled, with the value of the default state, and without variants. SDKs whose engine can't read
flags take each condition on them for false; all is made so that the feature is then off. The server answers
by the same document, so evaluating knows nothing of prerequisites.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from documents.rows import PrerequisiteRow
from engine.documents import (
    ConditionDocument,
    FeatureStateDocument,
    RuleDocument,
    SegmentContext,
    SegmentDocument,
)
from engine.operators import compile_operator
from engine.values import normalise

NOT_MET = "prerequisite not met: "
MET = "prerequisites met"
GONE = f"{NOT_MET}a feature that is gone"
CIRCLE = f"{NOT_MET}features that need each other"

# Ids that SDKs can hold and that no segment of the database will ever have: counted down from the highest,
# four for each prerequisite.
_LAST_ID = 2**31 - 1
_FIRST_ID = 2**30
_IDS_PER_ROW = 4
_ID_OF_MET = 3

_FIRST_PRIORITY = 0
_LAST_PRIORITY = 2**31 - 1

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# By the id of a feature, its default state.
Defaults = Mapping[int, FeatureStateDocument]
Needs = Mapping[int, Sequence[PrerequisiteRow]]


def express(
    prerequisites: Iterable[PrerequisiteRow],
    defaults: Sequence[FeatureStateDocument],
    segments: Sequence[SegmentDocument],
) -> tuple[list[FeatureStateDocument], list[SegmentDocument]]:
    """Return the default states and the segments of a document in which features need others.

    What nobody can make is off, too: a feature that needs one that is gone, or by way of others itself.
    """
    states = {state["feature"]["id"]: state for state in defaults}
    needs: dict[int, list[PrerequisiteRow]] = defaultdict(list)
    for row in prerequisites:
        if row["feature_id"] in states:
            needs[row["feature_id"]].append(row)
    met = _met_by_default(needs, states)
    served = [
        state if met.get(state["feature"]["id"], state["feature"]["id"] not in needs) else _off(state)
        for state in defaults
    ]
    made_up = [
        segment
        for feature_id in sorted(needs)
        for segment in _segments(states[feature_id], needs[feature_id], met.get(feature_id), states)
    ]
    return served, [_after_first(segment, needs) for segment in segments] + made_up


def is_made_up(segment: SegmentContext) -> bool:
    """Whether a segment only expresses prerequisites."""
    return int(segment["key"]) > _FIRST_ID


def unmet_prerequisite(segment: SegmentContext | None) -> str | None:
    """Return the name of the feature for whose sake another one is off, if this segment says so."""
    if segment is None or not is_made_up(segment) or not segment["name"].startswith(NOT_MET):
        return None
    return segment["name"].removeprefix(NOT_MET)


def _met_by_default(needs: Needs, states: Defaults) -> dict[int, bool]:
    """Tell of features whether all that they need is as required for nobody in particular.

    Those that need each other in a circle, and what needs one of them, are left out.
    """
    met: dict[int, bool] = {}
    waiting = dict(needs)
    while ready := [
        feature_id
        for feature_id, rows in waiting.items()
        if not any(row["required_feature_id"] in waiting for row in rows)
    ]:
        for feature_id in ready:
            met[feature_id] = all(_is_met_by_default(row, states, met) for row in waiting.pop(feature_id))
    return met


def _is_met_by_default(row: PrerequisiteRow, states: Defaults, met: Mapping[int, bool]) -> bool:
    required = states.get(row["required_feature_id"])
    if required is None or row["variant"] is not None:  # without identity no variant is drawn
        return False
    is_on = required["enabled"] and met.get(row["required_feature_id"], True)
    if is_on is not row["enabled"]:
        return False
    return row["value"] is None or _equals(row["value"], required["feature_state_value"])


def _equals(text: str, value: object) -> bool:
    """Compare as a condition EQUAL of a segment would."""
    test, seen = compile_operator("EQUAL", text, ""), normalise(value)
    try:
        return test is not None and seen is not None and test(seen)
    except (ValueError, TypeError, ArithmeticError):
        return False


def _segments(
    state: FeatureStateDocument, rows: Sequence[PrerequisiteRow], met: bool | None, states: Defaults
) -> Iterator[SegmentDocument]:
    """Write the segments of one feature. `met`: are its prerequisites by default? None in a circle."""
    off = _with_priority(_off(state), _FIRST_PRIORITY)
    if met is None:
        yield _segment(rows[0], 0, CIRCLE, _EVERYONE, off)
        return
    for row in rows:
        required = states.get(row["required_feature_id"])
        if required is None:
            yield _segment(row, 0, GONE, _EVERYONE, off)
            continue
        # Each condition on its own, and never one rule in another, which older engines combine otherwise.
        for number, condition in enumerate(_conditions(row, required)):
            name = NOT_MET + required["feature"]["name"]
            yield _segment(row, number, name, {"type": "NONE", "conditions": [condition], "rules": []}, off)
    if not met and all(row["required_feature_id"] in states for row in rows):
        conditions = [
            condition for row in rows for condition in _conditions(row, states[row["required_feature_id"]])
        ]
        rule: RuleDocument = {"type": "ALL", "conditions": conditions, "rules": []}
        yield _segment(rows[0], _ID_OF_MET, MET, rule, _with_priority(state, _LAST_PRIORITY))


_EVERYONE: RuleDocument = {"type": "ALL", "conditions": [], "rules": []}


def _segment(
    row: PrerequisiteRow, number: int, name: str, rule: RuleDocument, override: FeatureStateDocument
) -> SegmentDocument:
    return {
        "id": _LAST_ID - _IDS_PER_ROW * row["id"] - number,
        "name": name,
        "rules": [rule],
        "feature_states": [override],
    }


def _conditions(row: PrerequisiteRow, required: FeatureStateDocument) -> Iterator[ConditionDocument]:
    name = required["feature"]["name"]
    yield _condition(name, "enabled", "true" if row["enabled"] else "false")
    if row["value"] is not None:
        yield _condition(name, "value", row["value"])
    if row["variant"] is not None:
        yield _condition(name, "variant", row["variant"])


def _condition(name: str, part: str, value: str) -> ConditionDocument:
    # A name that is no identifier stands in brackets, as a string of JSON: all that JSONPath asks for.
    member = f".{name}" if _PLAIN_NAME.fullmatch(name) else f"[{json.dumps(name)}]"
    return {"operator": "EQUAL", "property_": f"$.flags{member}.{part}", "value": value}


def _off(state: FeatureStateDocument) -> FeatureStateDocument:
    return {**state, "enabled": False, "multivariate_feature_state_values": []}


def _with_priority(state: FeatureStateDocument, priority: int) -> FeatureStateDocument:
    return {**state, "feature_segment": {"priority": priority}}


def _after_first(segment: SegmentDocument, needs: Needs) -> SegmentDocument:
    """Let a segment's overrides of features with prerequisites stand after what switches these off."""
    overrides = segment.get("feature_states") or ()
    if not any(state["feature"]["id"] in needs for state in overrides):
        return segment
    return {**segment, "feature_states": [_moved(state, needs) for state in overrides]}


def _moved(state: FeatureStateDocument, needs: Needs) -> FeatureStateDocument:
    place = state.get("feature_segment")
    if state["feature"]["id"] not in needs or not place or place["priority"] is None:
        return state
    return _with_priority(state, min(place["priority"] + 1, _LAST_PRIORITY - 1))

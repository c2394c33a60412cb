"""From an evaluation context to a compiled environment: done once, evaluated many times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from engine.documents import ConditionContext, EvaluationContext, FeatureContext, RuleContext, SegmentContext
from engine.evaluation import CompiledEnvironment, CompiledSegment, Override
from engine.flags import REASON_DEFAULT, REASON_STATIC, FeatureState
from engine.operators import IS_NOT_SET, PERCENTAGE_SPLIT, compile_operator
from engine.properties import Reader, flag_path, path_parts, property_reader
from engine.subjects import Subject

Predicate: TypeAlias = Callable[[Subject], bool]

# Which reason an environment's default is given: always DEFAULT, or STATIC where no segment of the
# context overrides the feature (engines from 11.1 on).
ReasonPolicy: TypeAlias = Literal["DEFAULT", "STATIC"]

# Nobody nests rules deeper than two by hand; an import may, and must not exhaust the stack.
MAX_RULE_DEPTH = 50


def compile_context(
    context: EvaluationContext, *, reason_policy: ReasonPolicy = "DEFAULT"
) -> CompiledEnvironment:
    """Compile a context's features and segments; its identity is not looked at.

    The context is kept, and must not be changed afterwards. Features are known by their name, and
    an override of a feature that the context doesn't have is ignored.
    """
    features = {feature["name"]: feature for feature in (context.get("features") or {}).values()}
    segments = list((context.get("segments") or {}).values())

    # Per feature the candidates, best first; equal priorities keep the order of the context.
    candidates: dict[str, list[tuple[int, FeatureState]]] = {}
    for index, segment in enumerate(segments):
        for override in segment.get("overrides") or ():
            if override["name"] in features:
                state = FeatureState(override, f"TARGETING_MATCH; segment={segment['name']}", segment)
                candidates.setdefault(override["name"], []).append((index, state))
    overrides_by_segment: dict[int, list[Override]] = {}
    for name, states in candidates.items():
        states.sort(key=lambda candidate: candidate[1].priority)
        for rank, (index, state) in enumerate(states):
            overrides_by_segment.setdefault(index, []).append(Override(name, rank, state))

    compiled_segments = tuple(
        CompiledSegment(
            segment, _compile_segment(segment, context), tuple(overrides_by_segment.get(index, ()))
        )
        for index, segment in enumerate(segments)
    )
    return CompiledEnvironment(
        environment_key=context["environment"]["key"],
        features=_compile_defaults(features, candidates, reason_policy),
        segments=compiled_segments,
        candidates={
            name: tuple((compiled_segments[index], state) for index, state in states)
            for name, states in candidates.items()
        },
        reads_flags=any(_reads_flags(segment["rules"]) for segment in segments),
    )


def _compile_defaults(
    features: Mapping[str, FeatureContext],
    candidates: Mapping[str, object],
    reason_policy: ReasonPolicy,
) -> dict[str, FeatureState]:
    def reason(name: str) -> str:
        is_static = reason_policy == "STATIC" and name not in candidates
        return REASON_STATIC if is_static else REASON_DEFAULT

    return {name: FeatureState(feature, reason(name)) for name, feature in features.items()}


def _compile_segment(segment: SegmentContext, context: EvaluationContext) -> Predicate:
    """A segment matches if every root rule does, and never without any."""
    rules = segment["rules"]
    if not rules:
        return _never
    return _all_of([_compile_rule(rule, str(segment["key"]), context, depth=1) for rule in rules])


def _compile_rule(
    rule: RuleContext, segment_key: str, context: EvaluationContext, *, depth: int
) -> Predicate:
    """A rule combines its conditions, and apart from them its nested rules, by its own type.

    An empty group counts as true, so `{"type": "ANY"}` alone matches.
    """
    combine = _COMBINATIONS.get(rule["type"])
    if combine is None or depth > MAX_RULE_DEPTH:
        return _never
    conditions = [
        _compile_condition(condition, segment_key, context) for condition in rule.get("conditions") or ()
    ]
    nested = [
        _compile_rule(nested_rule, segment_key, context, depth=depth + 1)
        for nested_rule in rule.get("rules") or ()
    ]
    return _all_of([combine(group) for group in (conditions, nested) if group])


def _compile_condition(
    condition: ConditionContext, segment_key: str, context: EvaluationContext
) -> Predicate:
    operator_name = condition["operator"]
    condition_property = condition.get("property") or ""
    read: Reader
    if operator_name == PERCENTAGE_SPLIT and not condition_property:
        read = _read_key
    else:
        read = property_reader(condition_property, context)

    if operator_name == IS_NOT_SET:
        return lambda subject: read(subject) is None
    try:
        test = compile_operator(operator_name, condition.get("value"), segment_key)
    except (ValueError, RecursionError):
        test = None  # a list with a member that has no text
    if test is None:
        return _never
    test_value = test

    def matches(subject: Subject) -> bool:
        value = read(subject)
        if value is None:
            return False
        try:
            return test_value(value)
        except (ValueError, TypeError, ArithmeticError, RecursionError):
            # Modulo by zero, an integer too long for its text: whatever can't be compared is false.
            return False

    return matches


def _read_key(subject: Subject) -> str | None:
    return subject.key


def _never(subject: Subject) -> bool:
    return False


def _all_of(predicates: Sequence[Predicate]) -> Predicate:
    if len(predicates) == 1:
        return predicates[0]

    def matches(subject: Subject) -> bool:
        for predicate in predicates:  # noqa: SIM110 - all() over a generator takes twice as long
            if not predicate(subject):
                return False
        return True

    return matches


def _any_of(predicates: Sequence[Predicate]) -> Predicate:
    if len(predicates) == 1:
        return predicates[0]

    def matches(subject: Subject) -> bool:
        for predicate in predicates:  # noqa: SIM110 - as above
            if predicate(subject):
                return True
        return False

    return matches


def _none_of(predicates: Sequence[Predicate]) -> Predicate:
    matches_any = _any_of(predicates)
    return lambda subject: not matches_any(subject)


_COMBINATIONS: dict[str, Callable[[Sequence[Predicate]], Predicate]] = {
    "ALL": _all_of,
    "ANY": _any_of,
    "NONE": _none_of,
}


def _reads_flags(rules: Sequence[RuleContext], depth: int = 1) -> bool:
    """Tell whether a condition depends on another flag. Rules too deep to be compiled don't count."""
    return depth <= MAX_RULE_DEPTH and any(
        any(
            flag_path(path_parts(condition.get("property") or ""))
            for condition in rule.get("conditions") or ()
        )
        or _reads_flags(rule.get("rules") or (), depth + 1)
        for rule in rules
    )

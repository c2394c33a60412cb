"""Small contexts for tests: only what a test is about has to be written out."""

from typing import Any

from engine.documents import ConditionContext, EvaluationContext, FeatureContext, RuleContext, SegmentContext


def condition(operator: str, value="", trait: str | None = "trait") -> ConditionContext:
    return {"operator": operator, "property": trait, "value": value}


def rule(
    *conditions: ConditionContext, type: str = "ALL", rules: list[RuleContext] | None = None
) -> RuleContext:
    return {"type": type, "conditions": list(conditions), "rules": rules or []}


def segment(
    *rules: RuleContext, key="1", name="segment", overrides=(), metadata: Any = None
) -> SegmentContext:
    return {
        "key": key,
        "name": name,
        "rules": list(rules),
        "overrides": list(overrides),
        "metadata": metadata,
    }


def feature(
    name="checkout", value: Any = "default", *, enabled=True, key="1", **fields: Any
) -> FeatureContext:
    made: FeatureContext = {"key": key, "name": name, "enabled": enabled, "value": value}
    made.update(fields)  # type: ignore[typeddict-item]  # also what doesn't belong there
    return made


def context(*features: FeatureContext, segments=()) -> EvaluationContext:
    return {
        "environment": {"key": "env", "name": "Production"},
        "features": {feature["name"]: feature for feature in features},
        "segments": {segment["key"]: segment for segment in segments},
    }

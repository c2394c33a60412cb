"""From the environment document to the evaluation context, as SDKs map it for local evaluation.

The server evaluates through the same mapping, so that remote and local answers agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from engine.documents import (
    ConditionContext,
    EnvironmentDocument,
    EvaluationContext,
    FeatureContext,
    FeatureStateDocument,
    RuleContext,
    RuleDocument,
    SegmentContext,
    SegmentDocument,
    VariantAllocationDocument,
    VariantContext,
)


def environment_context(document: EnvironmentDocument) -> EvaluationContext:
    """Map a document to a context without identity.

    Identity overrides are left out: SDKs model them as segments, which costs every evaluation a
    look at all of them. `feature_contexts` maps one identity's, to be given to `evaluate`.
    """
    return {
        "environment": {"key": document["api_key"], "name": document["name"]},
        "features": feature_contexts(document["feature_states"]),
        "segments": {str(segment["id"]): _segment(segment) for segment in document["project"]["segments"]},
    }


def feature_contexts(feature_states: Iterable[FeatureStateDocument]) -> dict[str, FeatureContext]:
    """Map feature states by the name of their feature; where two name the same, the later one counts."""
    return {state["feature"]["name"]: feature_context(state) for state in feature_states}


def feature_context(state: FeatureStateDocument) -> FeatureContext:
    """Map one feature state; `priority` and `variants` are only there when the state has them."""
    context: FeatureContext = {
        "key": str(state.get("django_id") or state.get("featurestate_uuid", "")),
        "name": state["feature"]["name"],
        "enabled": state["enabled"],
        "value": state["feature_state_value"],
        "metadata": {"id": state["feature"]["id"]},
    }
    allocations = state.get("multivariate_feature_state_values")
    if allocations:
        context["variants"] = [_variant(allocation) for allocation in allocations]
    feature_segment = state.get("feature_segment")
    if feature_segment:
        context["priority"] = feature_segment["priority"]
    return context


def _variant(allocation: VariantAllocationDocument) -> VariantContext:
    option = allocation["multivariate_feature_option"]
    variant: VariantContext = {
        "value": option["value"],
        "weight": allocation["percentage_allocation"],
        # Not the option's id: the allocation's decides the order of the bands.
        "priority": allocation.get("id") or UUID(allocation["mv_fs_value_uuid"]).int,
    }
    if option.get("key") is not None:
        variant["key"] = option["key"]
    return variant


def _segment(segment: SegmentDocument) -> SegmentContext:
    return {
        "key": str(segment["id"]),
        "name": segment["name"],
        "rules": [_rule(rule) for rule in segment["rules"]],
        "overrides": [feature_context(state) for state in segment.get("feature_states") or ()],
        "metadata": {"id": segment["id"], "source": "api"},
    }


def _rule(rule: RuleDocument) -> RuleContext:
    conditions: list[ConditionContext] = [
        {
            "operator": condition["operator"],
            "property": condition.get("property_") or "",
            "value": condition["value"],
        }
        for condition in rule.get("conditions") or ()
    ]
    return {
        "type": rule["type"],
        "conditions": conditions,
        "rules": [_rule(nested) for nested in rule.get("rules") or ()],
    }

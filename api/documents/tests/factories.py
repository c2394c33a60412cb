"""Making what documents show, in a line each."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from environments.models import Environment
from features.models import (
    Feature,
    FeatureSegment,
    FeatureState,
    MultivariateFeatureStateValue,
    MultivariateOption,
)
from features.models.values import FlagValue
from identities.models import Identity
from projects.models import Project
from segments.models import Condition, Operator, RuleType, Segment, SegmentRule

_numbers = count()


def make_feature(
    project: Project,
    name: str = "",
    *,
    value: str | None = None,
    enabled: bool = False,
    variants: Mapping[str, tuple[FlagValue, float]] | None = None,
    **fields: Any,
) -> Feature:
    """Make a feature with its default states; `variants` are values and weights by key."""
    feature = Feature.objects.create(
        project=project,
        name=name or f"feature_{next(_numbers)}",
        initial_value=value,
        default_enabled=enabled,
        **fields,
    )
    for key, (variant, weight) in (variants or {}).items():
        option = MultivariateOption(feature=feature, key=key or None, default_percentage_allocation=weight)
        option.value = variant
        option.save()
    feature.refresh_from_db()
    return feature


def make_segment(
    project: Project,
    name: str = "",
    *,
    property: str | None = "plan",
    operator: str = Operator.EQUAL,
    value: str | None = "pro",
    feature: Feature | None = None,
) -> Segment:
    """Make a segment with one condition, nested as dashboards do it: ALL of ANY of it."""
    segment = Segment.objects.create(
        project=project, name=name or f"segment {next(_numbers)}", feature=feature
    )
    root = SegmentRule.objects.create(segment=segment, type=RuleType.ALL)
    rule = SegmentRule.objects.create(segment=segment, parent=root, type=RuleType.ANY)
    Condition.objects.create(rule=rule, property=property, operator=operator, value=value)
    return segment


def default_state(feature: Feature, environment: Environment) -> FeatureState:
    return FeatureState.objects.get(
        feature=feature, environment=environment, identity=None, feature_segment=None
    )


def override_for_segment(
    feature: Feature, environment: Environment, segment: Segment, *, priority: int = 0, **state: Any
) -> FeatureState:
    feature_segment = FeatureSegment.objects.create(
        feature=feature, environment=environment, segment=segment, priority=priority
    )
    return _override(feature, environment, feature_segment=feature_segment, **state)


def override_for_identity(
    feature: Feature, environment: Environment, identifier: str, **state: Any
) -> FeatureState:
    identity, _ = Identity.objects.get_or_create(environment=environment, identifier=identifier)
    return _override(feature, environment, identity=identity, **state)


def _override(
    feature: Feature,
    environment: Environment,
    *,
    enabled: bool = True,
    value: FlagValue = None,
    weights: Mapping[str, float] | None = None,
    **of: Any,
) -> FeatureState:
    state = FeatureState(feature=feature, environment=environment, enabled=enabled, **of)
    state.value = value
    state.save()
    for key, weight in (weights or {}).items():
        MultivariateFeatureStateValue.objects.create(
            feature_state=state,
            multivariate_feature_option=feature.multivariate_options.get(key=key),
            percentage_allocation=weight,
        )
    return state

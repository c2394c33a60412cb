"""Features and what hangs on them, for tests."""

from itertools import count
from typing import Any

from environments.models import Environment
from features.models import Feature, FeatureSegment, FeatureState, MultivariateOption
from features.models.state import FOR_EVERYONE
from features.models.values import FlagValue
from identities.models import Identity
from projects.models import Project
from segments.models import Segment

_numbers = count(1)


def make_feature(project: Project, **fields: Any) -> Feature:
    return Feature.objects.create(project=project, **{"name": f"feature_{next(_numbers)}", **fields})


def make_option(feature: Feature, value: FlagValue, share: float, **fields: Any) -> MultivariateOption:
    option = MultivariateOption(feature=feature, default_percentage_allocation=share, **fields)
    option.value = value
    option.save()
    return option


def default_state(feature: Feature, environment: Environment) -> FeatureState:
    return FeatureState.objects.get(FOR_EVERYONE, feature=feature, environment=environment)


def make_identity_override(feature: Feature, identity: Identity, value: FlagValue = None) -> FeatureState:
    state = FeatureState(feature=feature, environment=identity.environment, identity=identity)
    state.value = value
    state.save()
    return state


def make_segment_override(
    feature: Feature, environment: Environment, segment: Segment, value: FlagValue = None
) -> FeatureState:
    """Make an override that is tried after those that are there."""
    others = FeatureSegment.objects.filter(feature=feature, environment=environment)
    place = FeatureSegment.objects.create(
        feature=feature, environment=environment, segment=segment, priority=others.count()
    )
    state = FeatureState(feature=feature, environment=environment, feature_segment=place)
    state.value = value
    state.save()
    return state

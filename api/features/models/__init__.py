from features.models.defaults import EnvironmentDefaults
from features.models.feature import Feature, FeatureType, MultivariateOption
from features.models.state import FeatureSegment, FeatureState, MultivariateFeatureStateValue
from features.models.values import TypedValue, ValueType

__all__ = [
    "EnvironmentDefaults",
    "Feature",
    "FeatureSegment",
    "FeatureState",
    "FeatureType",
    "MultivariateFeatureStateValue",
    "MultivariateOption",
    "TypedValue",
    "ValueType",
]

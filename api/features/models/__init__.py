from features.models.defaults import EnvironmentDefaults
from features.models.feature import Feature, FeatureType, MultivariateOption
from features.models.state import FeatureSegment, FeatureState, MultivariateFeatureStateValue
from features.models.transfers import FeatureExport, FeatureImport, ImportStrategy, TransferStatus
from features.models.values import TypedValue, ValueType
from features.models.version import EnvironmentFeatureVersion

__all__ = [
    "EnvironmentDefaults",
    "EnvironmentFeatureVersion",
    "Feature",
    "FeatureExport",
    "FeatureImport",
    "FeatureSegment",
    "FeatureState",
    "FeatureType",
    "ImportStrategy",
    "MultivariateFeatureStateValue",
    "MultivariateOption",
    "TransferStatus",
    "TypedValue",
    "ValueType",
]

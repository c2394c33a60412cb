from features.models.code import CodeRepository, CodeSighting, VcsProvider
from features.models.defaults import EnvironmentDefaults
from features.models.external_resource import ExternalResource, ResourceType
from features.models.feature import Feature, FeatureType, MultivariateOption
from features.models.prerequisite import Prerequisite
from features.models.state import FeatureSegment, FeatureState, MultivariateFeatureStateValue
from features.models.transfers import FeatureExport, FeatureImport, ImportStrategy, TransferStatus
from features.models.values import TypedValue, ValueType
from features.models.version import EnvironmentFeatureVersion

__all__ = [
    "CodeRepository",
    "CodeSighting",
    "EnvironmentDefaults",
    "EnvironmentFeatureVersion",
    "ExternalResource",
    "Feature",
    "FeatureExport",
    "FeatureImport",
    "FeatureSegment",
    "FeatureState",
    "FeatureType",
    "ImportStrategy",
    "MultivariateFeatureStateValue",
    "MultivariateOption",
    "Prerequisite",
    "ResourceType",
    "TransferStatus",
    "TypedValue",
    "ValueType",
    "VcsProvider",
]

"""Features in the admin. What is written here goes through the same services as the API's requests."""

from features.admin.features import FeatureAdmin, MultivariateOptionAdmin
from features.admin.prerequisites import PrerequisiteAdmin
from features.admin.states import FeatureSegmentAdmin, FeatureStateAdmin

__all__ = [
    "FeatureAdmin",
    "FeatureSegmentAdmin",
    "FeatureStateAdmin",
    "MultivariateOptionAdmin",
    "PrerequisiteAdmin",
]

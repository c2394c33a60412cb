"""Which feature states there are to be seen."""

from django.db.models import QuerySet

from features.models import FeatureState


def served_states() -> QuerySet[FeatureState]:
    """States that are live now, with their allocations: no drafts, nothing replaced or still to come."""
    states: QuerySet[FeatureState] = FeatureState.objects.prefetch_related(
        "multivariate_feature_state_values"
    )
    return states


def readable_states() -> QuerySet[FeatureState]:
    """The same with those of all versions, for whoever knows one by its id."""
    states: QuerySet[FeatureState] = FeatureState.all_objects.undeleted()
    return states.select_related("environment_feature_version").prefetch_related(
        "multivariate_feature_state_values"
    )

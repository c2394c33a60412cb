"""Which feature states there are to be seen."""

from django.db.models import QuerySet

from features.models import FeatureState
from features.models.state import SERVED


def served_states() -> QuerySet[FeatureState]:
    """States that are live now, with their allocations: no drafts, nothing replaced or still to come."""
    states: QuerySet[FeatureState] = FeatureState.objects.filter(SERVED)
    return states.prefetch_related("multivariate_feature_state_values")

"""Counting what there is in an environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q

from environments.models import Environment
from features.models import FeatureState
from features.models.state import FOR_EVERYONE, SERVED

_OF_CHANGE_REQUESTS = [
    (5, "open_change_requests", "Open change requests"),
    (6, "total_scheduled_changes", "Scheduled changes"),
]


@dataclass(frozen=True)
class Metric:
    """A figure; names, words and ranks are those that Flagsmith's dashboard knows."""

    rank: int
    name: str
    entity: str
    description: str
    value: int


def metrics_of(environment: Environment, others: Mapping[str, int]) -> list[Metric]:
    """Return the figures of an environment, by rank. One query.

    Those about change requests are there where the environment takes changes by request only.

    Args:
        others: the numbers that are counted elsewhere, by their names.
    """
    counts = FeatureState.objects.filter(
        SERVED, environment=environment, feature__is_archived=False
    ).aggregate(
        features=Count("pk", filter=FOR_EVERYONE),
        enabled=Count("pk", filter=FOR_EVERYONE & Q(enabled=True)),
        for_segments=Count("pk", filter=Q(feature_segment__isnull=False)),
        for_identities=Count("pk", filter=Q(identity__isnull=False)),
    )
    metrics = [
        Metric(1, "total_features", "features", "Total features", counts["features"]),
        Metric(2, "enabled_features", "features", "Features enabled", counts["enabled"]),
        Metric(3, "segment_overrides", "segments", "Segment overrides", counts["for_segments"]),
        Metric(4, "identity_overrides", "identities", "Identity overrides", counts["for_identities"]),
    ]
    if environment.minimum_change_request_approvals is not None:
        for rank, name, description in _OF_CHANGE_REQUESTS:
            metrics.append(Metric(rank, name, "workflows", description, others.get(name, 0)))
    return metrics

"""How features are now."""

from django.db.models import QuerySet

from health.models import HealthEvent, HealthStatus
from projects.models import Project


def latest_events(project: Project) -> QuerySet[HealthEvent]:
    """Return the last event of each feature, environment and provider, newest first."""
    place = ["feature_id", "environment_id", "provider_name"]
    events = HealthEvent.objects.filter(feature__project=project, feature__deleted_at__isnull=True)
    last = events.filter(environment__deleted_at__isnull=True).order_by(*place, "-pk").distinct(*place)
    return HealthEvent.objects.filter(pk__in=last.values("pk"))


def unhealthy_features(project: Project) -> QuerySet[HealthEvent, int]:
    """Return the ids of the features that are unhealthy anywhere."""
    unhealthy = latest_events(project).filter(type=HealthStatus.UNHEALTHY)
    return unhealthy.order_by().values_list("feature", flat=True)

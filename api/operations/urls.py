"""Served with and without the slash at their end, like all paths."""

from django.urls import path, re_path

from operations.scheduler import JobsView
from operations.views import (
    HealthView,
    LivenessView,
    MetricsView,
    MonitoringView,
    ProjectOverridesView,
    RobotsView,
    SizesView,
    VersionView,
)

urlpatterns = [
    path("health", HealthView.described("health").as_view()),
    path("health/readiness/", HealthView.described("health_readiness", is_readiness=True).as_view()),
    path("health/liveness/", LivenessView.as_view()),
    path("healthcheck", HealthView.described("healthcheck").as_view()),
    path("version/", VersionView.as_view()),
    path("metrics/", MetricsView.as_view()),
    path("robots.txt", RobotsView.as_view()),
    re_path("^config/project-overrides", ProjectOverridesView.as_view()),  # and whatever begins like that
    path("processor/monitoring/", MonitoringView.as_view()),
    path("scheduler/jobs/", JobsView.as_view()),
    path("database/sizes/", SizesView.as_view()),
]

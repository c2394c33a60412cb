from django.urls import URLPattern, URLResolver, path

from analytics.views import (
    DeprecatedEvaluationsView,
    DeprecatedTotalView,
    DeprecatedUsageView,
    EvaluationsView,
    OnboardingStatusView,
    TotalUsageView,
    UsageView,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("organisations/<str:organisation_pk>/usage-data/", UsageView.as_view(), name="organisation-usage"),
    path(
        "organisations/<str:organisation_pk>/usage-data/total-count/",
        TotalUsageView.as_view(),
        name="organisation-usage-total",
    ),
    path(
        "organisations/<str:organisation_pk>/usage/",
        DeprecatedTotalView.as_view(),
        name="organisation-usage-events",
    ),
    path(
        "organisations/<str:organisation_pk>/influx-data/",
        DeprecatedUsageView.as_view(),
        name="organisation-usage-events-by-day",
    ),
    path(
        "projects/<int:project_pk>/features/<int:feature_pk>/evaluation-data/",
        EvaluationsView.as_view(),
        name="feature-evaluations",
    ),
    path(
        "environments/<str:environment_key>/onboarding-status/",
        OnboardingStatusView.as_view(),
        name="onboarding-status",
    ),
    path(
        "projects/<int:project_pk>/features/<int:feature_pk>/influx-data/",
        DeprecatedEvaluationsView.as_view(),
        name="feature-evaluation-events",
    ),
]

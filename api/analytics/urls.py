from django.urls import URLPattern, URLResolver, path

from analytics.views import EvaluationsView, TotalUsageView, UsageView

urlpatterns: list[URLPattern | URLResolver] = [
    path("organisations/<str:organisation_pk>/usage-data/", UsageView.as_view(), name="organisation-usage"),
    path(
        "organisations/<str:organisation_pk>/usage-data/total-count/",
        TotalUsageView.as_view(),
        name="organisation-usage-total",
    ),
    path(
        "projects/<int:project_pk>/features/<int:feature_pk>/evaluation-data/",
        EvaluationsView.as_view(),
        name="feature-evaluations",
    ),
]

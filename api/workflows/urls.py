from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from workflows.views.change_requests import (
    ChangeRequestViewSet,
    CreateChangeRequestView,
    ListChangeRequestsView,
    ProjectChangeRequestViewSet,
)
from workflows.views.comments import CommentsView, ProjectCommentsView
from workflows.views.metrics import EnvironmentMetricsView

router = SimpleRouter(use_regex_path=False)
router.register("features/workflows/change-requests", ChangeRequestViewSet, "change-request")
router.register(
    "projects/<int:project_pk>/change-requests", ProjectChangeRequestViewSet, "project-change-request"
)

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "environments/<str:environment_key>/create-change-request/",
        CreateChangeRequestView.as_view(),
        name="create-change-request",
    ),
    path(
        "environments/<str:environment_key>/list-change-requests/",
        ListChangeRequestsView.as_view(),
        name="list-change-requests",
    ),
    path(
        "environments/<str:environment_key>/metrics/",
        EnvironmentMetricsView.as_view(),
        name="environment-metrics",
    ),
    path(
        "features/workflows/change-requests/<int:change_request_pk>/comments/",
        CommentsView.as_view(),
        name="change-request-comments",
    ),
    path(
        "projects/<int:project_pk>/change-requests/<int:change_request_pk>/comments/",
        ProjectCommentsView.as_view(),
        name="project-change-request-comments",
    ),
    *router.urls,
]

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from environments.views import (
    EnvironmentByUuidView,
    EnvironmentViewSet,
    ProjectEnvironmentsView,
    ServerSideKeyViewSet,
)

router = SimpleRouter(use_regex_path=False)
router.register("environments", EnvironmentViewSet, "environment")
router.register("environments/<str:environment_key>/api-keys", ServerSideKeyViewSet, "server-side-key")

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "environments/get-by-uuid/<uuid:uuid>/",
        EnvironmentByUuidView.as_view(),
        name="environment-by-uuid",
    ),
    path(
        "projects/<int:project_pk>/environments/",
        ProjectEnvironmentsView.as_view(),
        name="project-environments",
    ),
    *router.urls,
]

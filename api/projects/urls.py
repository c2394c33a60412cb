from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from projects.views import (
    OrganisationProjectsView,
    ProjectByUuidView,
    ProjectViewSet,
    TagByUuidView,
    TagViewSet,
)

router = SimpleRouter(use_regex_path=False)
router.register("projects", ProjectViewSet, "project")
router.register("projects/<int:project_pk>/tags", TagViewSet, "tag")

urlpatterns: list[URLPattern | URLResolver] = [
    path("projects/get-by-uuid/<uuid:uuid>/", ProjectByUuidView.as_view(), name="project-by-uuid"),
    path(
        "projects/<int:project_pk>/tags/get-by-uuid/<uuid:uuid>/",
        TagByUuidView.as_view(),
        name="tag-by-uuid",
    ),
    path(
        "organisations/<str:organisation_pk>/projects/",
        OrganisationProjectsView.as_view(),
        name="organisation-projects",
    ),
    *router.urls,
]

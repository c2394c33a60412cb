from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from projects.views.permissions import ProjectGroupPermissionsViewSet, ProjectUserPermissionsViewSet
from projects.views.projects import (
    OrganisationProjectsView,
    ProjectByUuidView,
    ProjectViewSet,
    TagByUuidView,
    TagViewSet,
)
from projects.views.roles import RoleProjectPermissionsViewSet

router = SimpleRouter(use_regex_path=False)
router.register("projects", ProjectViewSet, "project")
router.register("projects/<int:project_pk>/tags", TagViewSet, "tag")
router.register(
    "projects/<int:project_pk>/user-permissions", ProjectUserPermissionsViewSet, "project-user-permissions"
)
router.register(
    "projects/<int:project_pk>/user-group-permissions",
    ProjectGroupPermissionsViewSet,
    "project-group-permissions",
)
router.register(
    "organisations/<str:organisation_pk>/roles/<int:role_pk>/projects-permissions",
    RoleProjectPermissionsViewSet,
    "role-project-permissions",
)

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

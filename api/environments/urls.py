from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from environments.views.environments import (
    EnvironmentByUuidView,
    EnvironmentViewSet,
    ProjectEnvironmentsView,
    ServerSideKeyViewSet,
)
from environments.views.permissions import (
    EnvironmentGroupPermissionsViewSet,
    EnvironmentUserPermissionsViewSet,
)
from environments.views.roles import RoleEnvironmentPermissionsViewSet
from environments.views.webhook_deliveries import EnvironmentWebhookDeliveryViewSet
from environments.views.webhook_tests import WebhookTestView
from environments.views.webhooks import EnvironmentWebhookViewSet

router = SimpleRouter(use_regex_path=False)
router.register("environments", EnvironmentViewSet, "environment")
router.register("environments/<str:environment_key>/api-keys", ServerSideKeyViewSet, "server-side-key")
router.register(
    "environments/<str:environment_key>/webhooks", EnvironmentWebhookViewSet, "environment-webhook"
)
router.register(
    "environments/<str:environment_key>/user-permissions",
    EnvironmentUserPermissionsViewSet,
    "environment-user-permissions",
)
router.register(
    "environments/<str:environment_key>/user-group-permissions",
    EnvironmentGroupPermissionsViewSet,
    "environment-group-permissions",
)
router.register(
    "organisations/<str:organisation_pk>/roles/<int:role_pk>/environments-permissions",
    RoleEnvironmentPermissionsViewSet,
    "role-environment-permissions",
)
router.register(
    "environments/<str:environment_key>/webhooks/<int:webhook_pk>/deliveries",
    EnvironmentWebhookDeliveryViewSet,
    "environment-webhook-delivery",
)

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
    path("webhooks/test/", WebhookTestView.as_view(), name="test-webhook"),
    *router.urls,
]

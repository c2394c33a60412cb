from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from health.views import HealthEventViewSet, HealthProviderViewSet, HealthReportView

router = SimpleRouter(use_regex_path=False)
HEALTH = "projects/<int:project_pk>/feature-health"

router.register(f"{HEALTH}/events", HealthEventViewSet, "health-event")
router.register(f"{HEALTH}/providers", HealthProviderViewSet, "health-provider")

urlpatterns: list[URLPattern | URLResolver] = [
    path("feature-health/<str:signed>", HealthReportView.as_view(), name="health-report"),
    *router.urls,
]

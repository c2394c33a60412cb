from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from segments.views import SegmentByUuidView, SegmentViewSet

router = SimpleRouter(use_regex_path=False)
router.register("projects/<int:project_pk>/segments", SegmentViewSet, "segment")

urlpatterns: list[URLPattern | URLResolver] = [
    path("segments/get-by-uuid/<uuid:uuid>/", SegmentByUuidView.as_view(), name="segment-by-uuid"),
    *router.urls,
]

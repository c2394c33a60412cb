from rest_framework.routers import SimpleRouter

from documents.views import EvaluatingSegmentViewSet

router = SimpleRouter(use_regex_path=False)
router.register("projects/<int:project_pk>/segments", EvaluatingSegmentViewSet, "segment")

urlpatterns = router.urls

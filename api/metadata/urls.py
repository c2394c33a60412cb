from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from metadata.views import AttachmentViewSet, CustomFieldViewSet, ProjectFieldViewSet

router = SimpleRouter(use_regex_path=False)
router.register("metadata/fields", CustomFieldViewSet, "custom-field")
router.register("projects/<int:project_pk>/metadata/fields", ProjectFieldViewSet, "project-custom-field")
router.register(
    "organisations/<str:organisation_pk>/metadata-model-fields", AttachmentViewSet, "custom-field-attachment"
)

urlpatterns: list[URLPattern | URLResolver] = router.urls

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from documents.views import CopyOverridesView, EvaluatingSegmentViewSet, FlagsOfIdentityView

_OVERRIDES = "environments/<str:environment_key>/identities/<int:identity_pk>/featurestates"

router = SimpleRouter(use_regex_path=False)
router.register("projects/<int:project_pk>/segments", EvaluatingSegmentViewSet, "segment")

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{_OVERRIDES}/all/", FlagsOfIdentityView.as_view(), name="identity-flags"),
    path(
        f"{_OVERRIDES}/clone-from-given-identity/",
        CopyOverridesView.as_view(),
        name="copy-identity-overrides",
    ),
    *router.urls,
]

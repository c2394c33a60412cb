from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from identities.views import (
    DeleteTraitsView,
    EraseFromOrganisationView,
    EraseFromProjectView,
    IdentityViewSet,
    TraitKeysView,
    TraitViewSet,
)

router = SimpleRouter(use_regex_path=False)
router.register("environments/<str:environment_key>/identities", IdentityViewSet, "environment-identity")
router.register(
    "environments/<str:environment_key>/identities/<int:identity_pk>/traits", TraitViewSet, "identity-trait"
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("environments/<str:environment_key>/trait-keys/", TraitKeysView.as_view(), name="trait-keys"),
    path(
        "environments/<str:environment_key>/delete-traits/", DeleteTraitsView.as_view(), name="delete-traits"
    ),
    path(
        "projects/<int:project_pk>/erase-identifier/",
        EraseFromProjectView.as_view(),
        name="erase-from-project",
    ),
    path(
        "organisations/<str:organisation_pk>/erase-identifier/",
        EraseFromOrganisationView.as_view(),
        name="erase-from-organisation",
    ),
    *router.urls,
]

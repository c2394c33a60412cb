from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from organisations.views.grants import (
    OrganisationGroupPermissionsViewSet,
    OrganisationUserPermissionsViewSet,
)
from organisations.views.master_keys import MasterKeyViewSet
from organisations.views.members import MemberViewSet
from organisations.views.organisations import OrganisationByUuidView, OrganisationViewSet

router = SimpleRouter(use_regex_path=False)
router.register("organisations", OrganisationViewSet, "organisation")
router.register("organisations/<str:organisation_pk>/users", MemberViewSet, "organisation-user")
router.register(
    "organisations/<str:organisation_pk>/master-api-keys", MasterKeyViewSet, "organisation-master-key"
)
router.register(
    "organisations/<str:organisation_pk>/user-permissions",
    OrganisationUserPermissionsViewSet,
    "organisation-user-permissions",
)
router.register(
    "organisations/<str:organisation_pk>/user-group-permissions",
    OrganisationGroupPermissionsViewSet,
    "organisation-group-permissions",
)

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "organisations/get-by-uuid/<uuid:uuid>/",
        OrganisationByUuidView.as_view(),
        name="organisation-by-uuid",
    ),
    *router.urls,
]

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from organisations.views.billing import (
    ApiUsageNotificationView,
    PortalUrlView,
    UpdateSubscriptionView,
    UpgradeUrlView,
)
from organisations.views.grants import (
    OrganisationGroupPermissionsViewSet,
    OrganisationUserPermissionsViewSet,
)
from organisations.views.groups import GroupViewSet, MakeGroupAdminView, RemoveGroupAdminView
from organisations.views.invites import BulkInviteView, InviteViewSet, JoinView
from organisations.views.links import InviteLinkViewSet, JoinByLinkView
from organisations.views.master_keys import MasterKeyViewSet
from organisations.views.members import MemberViewSet
from organisations.views.organisations import OrganisationByUuidView, OrganisationViewSet
from organisations.views.roles import (
    RoleGroupViewSet,
    RoleMasterKeyViewSet,
    RoleOrganisationPermissionsViewSet,
    RolesOfGroupViewSet,
    RolesOfMasterKeyViewSet,
    RolesOfUserViewSet,
    RoleUserViewSet,
    RoleViewSet,
)
from organisations.views.webhook_deliveries import OrganisationWebhookDeliveryViewSet
from organisations.views.webhooks import OrganisationWebhookViewSet

IN_ORGANISATION = "organisations/<str:organisation_pk>"

router = SimpleRouter(use_regex_path=False)
router.register("organisations", OrganisationViewSet, "organisation")
router.register(f"{IN_ORGANISATION}/users", MemberViewSet, "organisation-user")
router.register(f"{IN_ORGANISATION}/groups", GroupViewSet, "organisation-group")
router.register(f"{IN_ORGANISATION}/invites", InviteViewSet, "organisation-invite")
router.register(f"{IN_ORGANISATION}/invite-links", InviteLinkViewSet, "organisation-invite-link")
router.register(f"{IN_ORGANISATION}/webhooks", OrganisationWebhookViewSet, "organisation-webhook")
router.register(f"{IN_ORGANISATION}/master-api-keys", MasterKeyViewSet, "organisation-master-key")
router.register(
    f"{IN_ORGANISATION}/user-permissions",
    OrganisationUserPermissionsViewSet,
    "organisation-user-permissions",
)
router.register(
    f"{IN_ORGANISATION}/user-group-permissions",
    OrganisationGroupPermissionsViewSet,
    "organisation-group-permissions",
)

roles = "organisations/<str:organisation_pk>/roles"
role = f"{roles}/<int:role_pk>"
router.register(roles, RoleViewSet, "role")
router.register(f"{role}/users", RoleUserViewSet, "role-user")
router.register(f"{role}/groups", RoleGroupViewSet, "role-group")
router.register(f"{role}/master-api-keys", RoleMasterKeyViewSet, "role-master-key")
router.register(
    f"{role}/organisation-permissions", RoleOrganisationPermissionsViewSet, "role-organisation-permissions"
)
router.register(
    "organisations/<str:organisation_pk>/users/<int:user_pk>/roles", RolesOfUserViewSet, "user-role"
)
router.register(
    "organisations/<str:organisation_pk>/groups/<int:group_pk>/roles", RolesOfGroupViewSet, "group-role"
)
roles_of_key = "organisations/<str:organisation_pk>/master-api-keys/<slug:prefix>/roles/"
router.register(
    f"{IN_ORGANISATION}/webhooks/<int:webhook_pk>/deliveries",
    OrganisationWebhookDeliveryViewSet,
    "organisation-webhook-delivery",
)

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "organisations/get-by-uuid/<uuid:uuid>/",
        OrganisationByUuidView.as_view(),
        name="organisation-by-uuid",
    ),
    path(
        f"{IN_ORGANISATION}/groups/<int:group_pk>/users/<int:user_id>/make-admin",
        MakeGroupAdminView.as_view(),
        name="organisation-group-make-admin",
    ),
    path(
        f"{IN_ORGANISATION}/groups/<int:group_pk>/users/<int:user_id>/remove-admin",
        RemoveGroupAdminView.as_view(),
        name="organisation-group-remove-admin",
    ),
    path(f"{IN_ORGANISATION}/invite/", BulkInviteView.as_view(), name="organisation-bulk-invite"),
    path("users/join/<slug:hash>/", JoinView.as_view(), name="join"),
    path("users/join/link/<slug:hash>/", JoinByLinkView.as_view(), name="join-by-link"),
    path(
        f"{IN_ORGANISATION}/api-usage-notification/",
        ApiUsageNotificationView.as_view(),
        name="organisation-api-usage-notification",
    ),
    path(f"{IN_ORGANISATION}/portal-url/", PortalUrlView.as_view(), name="organisation-portal-url"),
    path(
        f"{IN_ORGANISATION}/get-hosted-page-url-for-subscription-upgrade/",
        UpgradeUrlView.as_view(),
        name="organisation-upgrade-url",
    ),
    path(
        f"{IN_ORGANISATION}/update-subscription/",
        UpdateSubscriptionView.as_view(),
        name="organisation-update-subscription",
    ),
    path(roles_of_key, RolesOfMasterKeyViewSet.as_view({"get": "list"}), name="master-key-roles"),
    path(
        f"{roles_of_key}<int:role_pk>/detach-roles-from-master-api-key/",
        RolesOfMasterKeyViewSet.as_view({"delete": "destroy"}),
        name="master-key-role",
    ),
    *router.urls,
]

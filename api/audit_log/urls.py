from rest_framework.routers import SimpleRouter

from audit_log.views import (
    OrganisationAuditLogViewSet,
    OwnAuditLogViewSet,
    ProjectAuditLogViewSet,
)

router = SimpleRouter(use_regex_path=False)
router.register("audit", OwnAuditLogViewSet, "audit")
router.register(
    "organisations/<str:organisation_pk>/audit", OrganisationAuditLogViewSet, "organisation-audit"
)
router.register("projects/<int:project_pk>/audit", ProjectAuditLogViewSet, "project-audit")

urlpatterns = router.urls

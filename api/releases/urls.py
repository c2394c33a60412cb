from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from releases.views.change_requests import ChangeRequestPreviewView, ProjectChangeRequestPreviewView
from releases.views.promotions import PromotionPreviewView, PromotionView
from releases.views.revisions import RevisionViewSet, RollbackPreviewView, RollbackView
from releases.views.versions import VersionComparisonView, VersionPreviewView

_REVISIONS = "environments/<str:environment_key>/revisions"
_PROMOTION = "environments/<str:environment_key>/promote-from/<str:source_key>"
_VERSION = "environments/<int:environment_pk>/features/<int:feature_pk>/versions/<uuid:version_uuid>"

router = SimpleRouter(use_regex_path=False)
router.register(_REVISIONS, RevisionViewSet, "environment-revision")

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{_REVISIONS}/<int:revision>/rollback/", RollbackView.as_view(), name="roll-back"),
    path(
        f"{_REVISIONS}/<int:revision>/rollback/preview/",
        RollbackPreviewView.as_view(),
        name="preview-rollback",
    ),
    path(f"{_PROMOTION}/", PromotionView.as_view(), name="promote"),
    path(f"{_PROMOTION}/preview/", PromotionPreviewView.as_view(), name="preview-promotion"),
    path(f"{_VERSION}/compare/", VersionComparisonView.as_view(), name="compare-versions"),
    path(f"{_VERSION}/preview/", VersionPreviewView.as_view(), name="preview-version"),
    path(
        "features/workflows/change-requests/<int:pk>/preview/",
        ChangeRequestPreviewView.as_view(),
        name="preview-change-request",
    ),
    path(
        "projects/<int:project_pk>/change-requests/<int:pk>/preview/",
        ProjectChangeRequestPreviewView.as_view(),
        name="preview-project-change-request",
    ),
    *router.urls,
]

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from features.views.associated_features import AssociatedFeaturesView, WhereUsedView
from features.views.clones import CloneEnvironmentView
from features.views.code import CodeReferencesView, CodeScansView
from features.views.edge_identities import (
    EdgeIdentitiesView,
    EdgeIdentityView,
    EdgeOverridesView,
    OverridesByIdentifierView,
)
from features.views.external_resources import ExternalResourceViewSet
from features.views.feature_states import (
    EnvironmentFeatureStateViewSet,
    FeatureStateByUuidView,
    FeatureStateViewSet,
    IdentityFeatureStateViewSet,
)
from features.views.features import FeatureByUuidView, FeatureViewSet
from features.views.flag_updates import DeleteSegmentOverrideView, UpdateFlagsView, UpdateFlagView
from features.views.metrics import LifecycleCountsView
from features.views.multivariate_options import MultivariateOptionByUuidView, MultivariateOptionViewSet
from features.views.prerequisites import PrerequisiteViewSet
from features.views.segment_overrides import (
    CreateSegmentOverrideView,
    FeatureSegmentByUuidView,
    FeatureSegmentViewSet,
)
from features.views.transfers import (
    DownloadExportView,
    ExportFeaturesView,
    ImportFeaturesView,
    ProjectExportsView,
    ProjectImportsView,
)
from features.views.versions import (
    DisableVersioningView,
    EnableVersioningView,
    FeatureVersionView,
    FeatureVersionViewSet,
    VersionStateViewSet,
)
from features.views.whole_flags import FlagOverrideView, FlagView

router = SimpleRouter(use_regex_path=False)
router.register("projects/<int:project_pk>/features", FeatureViewSet, "feature")
router.register(
    "projects/<int:project_pk>/features/<int:feature_pk>/mv-options",
    MultivariateOptionViewSet,
    "multivariate-option",
)
router.register(
    "projects/<int:project_pk>/features/<int:feature_pk>/feature-external-resources",
    ExternalResourceViewSet,
    "external-resource",
)
router.register(
    "environments/<str:environment_key>/featurestates",
    EnvironmentFeatureStateViewSet,
    "environment-feature-state",
)
router.register(
    "environments/<str:environment_key>/identities/<int:identity_pk>/featurestates",
    IdentityFeatureStateViewSet,
    "identity-feature-state",
)
router.register("environments/<str:environment_key>/prerequisites", PrerequisiteViewSet, "prerequisite")
router.register("features/featurestates", FeatureStateViewSet, "feature-state")
router.register("features/feature-segments", FeatureSegmentViewSet, "feature-segment")
router.register(
    "environments/<int:environment_pk>/features/<int:feature_pk>/versions",
    FeatureVersionViewSet,
    "feature-version",
)
router.register(
    "environments/<int:environment_pk>/features/<int:feature_pk>/versions/<uuid:version_uuid>/featurestates",
    VersionStateViewSet,
    "version-state",
)

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "environments/<int:environment_pk>/feature-lifecycle-counts/",
        LifecycleCountsView.as_view(),
        name="feature-lifecycle-counts",
    ),
    path("projects/<int:project_pk>/code-references/", CodeScansView.as_view(), name="code-scans"),
    path(
        "projects/<int:project_pk>/features/<int:feature_pk>/code-references/",
        CodeReferencesView.as_view(),
        name="code-references",
    ),
    path("features/get-by-uuid/<uuid:uuid>/", FeatureByUuidView.as_view(), name="feature-by-uuid"),
    path(
        "multivariate/options/get-by-uuid/<uuid:uuid>/",
        MultivariateOptionByUuidView.as_view(),
        name="multivariate-option-by-uuid",
    ),
    path(
        "features/featurestates/get-by-uuid/<uuid:uuid>/",
        FeatureStateByUuidView.as_view(),
        name="feature-state-by-uuid",
    ),
    path(
        "features/feature-segments/get-by-uuid/<uuid:uuid>/",
        FeatureSegmentByUuidView.as_view(),
        name="feature-segment-by-uuid",
    ),
    path(
        "environments/<str:environment_key>/clone/", CloneEnvironmentView.as_view(), name="clone-environment"
    ),
    path(
        "environments/<str:environment_key>/features/<int:feature_pk>/create-segment-override/",
        CreateSegmentOverrideView.as_view(),
        name="create-segment-override",
    ),
    path(
        "projects/<int:project_pk>/segments/<int:segment_pk>/associated-features/",
        AssociatedFeaturesView.as_view(),
        name="segment-associated-features",
    ),
    path("features/create-feature-export/", ExportFeaturesView.as_view(), name="create-feature-export"),
    path(
        "features/download-feature-export/<int:pk>/",
        DownloadExportView.as_view(),
        name="download-feature-export",
    ),
    path("features/feature-import/<int:environment_pk>", ImportFeaturesView.as_view(), name="feature-import"),
    path("projects/<int:project_pk>/feature-exports/", ProjectExportsView.as_view(), name="feature-exports"),
    path("projects/<int:project_pk>/feature-imports/", ProjectImportsView.as_view(), name="feature-imports"),
    path(
        "environments/<str:environment_key>/enable-v2-versioning/",
        EnableVersioningView.as_view(),
        name="enable-versioning",
    ),
    path(
        "environments/<str:environment_key>/disable-v2-versioning/",
        DisableVersioningView.as_view(),
        name="disable-versioning",
    ),
    path(
        "environment-feature-versions/<uuid:version_uuid>/",
        FeatureVersionView.as_view(),
        name="feature-version-by-uuid",
    ),
    path(
        "projects/<int:project_pk>/segments/<int:segment_pk>/where-used/",
        WhereUsedView.as_view(),
        name="segment-where-used",
    ),
    # Named twice by Flagsmith's clients, and without a slash at the end.
    path(
        "environments/environments/<str:environment_key>/edge-identities-featurestates",
        OverridesByIdentifierView.as_view(),
        name="overrides-by-identifier",
    ),
    path(
        "environments/<str:environment_key>/edge-identity-overrides",
        EdgeOverridesView.as_view(),
        name="edge-identity-overrides",
    ),
    path(
        "environments/<str:environment_key>/edge-identities/",
        EdgeIdentitiesView.as_view(),
        name="edge-identities",
    ),
    path(
        "environments/<str:environment_key>/edge-identities/<str:identity_uuid>/",
        EdgeIdentityView.as_view(),
        name="edge-identity",
    ),
    *router.urls,
]

# Below /api/experiments/, where Flagsmith's clients look for them.
flag_updates = [
    path("environments/<str:environment_key>/update-flag-v1/", UpdateFlagView.as_view(), name="update-flag"),
    path(
        "environments/<str:environment_key>/update-flag-v2/", UpdateFlagsView.as_view(), name="update-flags"
    ),
    path(
        "environments/<str:environment_key>/delete-segment-override/",
        DeleteSegmentOverrideView.as_view(),
        name="delete-segment-override",
    ),
]

# Below /api/__future__/, where Flagsmith tries out what comes next.
whole_flags = [
    path(
        "environments/<str:environment_key>/features/<int:feature_pk>/", FlagView.as_view(), name="whole-flag"
    ),
    path(
        "environments/<str:environment_key>/features/<int:feature_pk>/segment-overrides/<int:segment_pk>/",
        FlagOverrideView.as_view(),
        name="whole-flag-override",
    ),
]

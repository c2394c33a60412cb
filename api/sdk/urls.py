from django.urls import URLPattern, URLResolver, path

from sdk.views.analytics import EvaluationCountsView, TelemetryView
from sdk.views.deprecated import IdentityFlagsView, IdentityTraitView, IdentityView, VariantsView
from sdk.views.document import EnvironmentDocumentView
from sdk.views.flags import FlagsView
from sdk.views.identities import BulkIdentitiesView, IdentitiesView
from sdk.views.traits import BulkTraitsView, IncrementTraitView, TraitsView

urlpatterns: list[URLPattern | URLResolver] = [
    path("flags/", FlagsView.as_view()),
    path("identities/", IdentitiesView.as_view()),
    path("bulk-identities/", BulkIdentitiesView.as_view()),
    path("environment-document/", EnvironmentDocumentView.as_view()),
    path("traits/", TraitsView.as_view()),
    path("traits/bulk/", BulkTraitsView.as_view()),
    path("traits/increment-value/", IncrementTraitView.as_view()),
    path("analytics/flags/", EvaluationCountsView.as_view()),
    path("analytics/telemetry/", TelemetryView.as_view()),
    # Deprecated.
    path("flags/<str:identifier>", IdentityFlagsView.as_view()),
    path("flags/<int:feature_id>/multivariate-options/", VariantsView.as_view()),
    path("identities/<str:identifier>/", IdentityView.as_view()),
    path("identities/<str:identifier>/traits/<str:trait_key>", IdentityTraitView.as_view()),
]

from django.urls import URLPattern, URLResolver, path

from sdk.streams.paths import OFREP_STREAMS, SDK_STREAM_END, SDK_STREAMS
from sdk.views.analytics import EvaluationCountsView, TelemetryView
from sdk.views.deprecated import IdentityFlagsView, IdentityTraitView, IdentityView, VariantsView
from sdk.views.document import DocumentToLookAtView, EnvironmentDocumentView
from sdk.views.flags import FlagsView
from sdk.views.identities import BulkIdentitiesView, IdentitiesView
from sdk.views.streams import OfrepStreamView, SdkStreamView
from sdk.views.traits import BulkTraitsView, IncrementTraitView, TraitsView

urlpatterns: list[URLPattern | URLResolver] = [
    path("flags/", FlagsView.as_view()),
    path("identities/", IdentitiesView.as_view()),
    path("bulk-identities/", BulkIdentitiesView.as_view()),
    path("environment-document/", EnvironmentDocumentView.as_view()),
    path("environments/<str:environment_key>/document/", DocumentToLookAtView.as_view()),
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

SDK_STREAM = f"{SDK_STREAMS}<path:client_key>{SDK_STREAM_END}"
OFREP_STREAM = f"{OFREP_STREAMS}<path:client_key>"

# At the server's root.
streams: list[URLPattern | URLResolver] = [
    path(SDK_STREAM, SdkStreamView.as_view()),
    path(OFREP_STREAM, OfrepStreamView.as_view()),
]
# For SDKs whose base is the API's. Described once.
urlpatterns += [
    path(SDK_STREAM, SdkStreamView.as_view(schema=None)),
    path(OFREP_STREAM, OfrepStreamView.as_view(schema=None)),
]

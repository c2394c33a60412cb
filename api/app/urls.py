"""Every route, by app. Paths are the Flagsmith API's, so that its clients find them."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from accounts.oidc.urls import admin_pages
from accounts.oidc.urls import pages as oidc_pages
from accounts.password_page.views import PasswordPage
from accounts.views.passwords import PasswordResetPage
from core.api_docs import OpenApiJsonView, OpenApiPage, OpenApiYamlView
from core.service_routes.configuration import ConfigurationView
from features.urls import flag_updates, whole_flags
from sdk.urls import streams
from sdk.views.analytics import EvaluationsView

api_v1: list[URLPattern | URLResolver] = [
    path("", include("sdk.urls")),
    path("", include("accounts.urls")),
    path("", include("organisations.urls")),
    path("", include("projects.urls")),
    path("", include("metadata.urls")),
    path("", include("environments.urls")),
    path("", include("segments.urls")),
    path("", include("identities.urls")),
    path("", include("features.urls")),
    path("", include("workflows.urls")),
    path("", include("releases.urls")),
    path("", include("documents.urls")),
    path("", include("analytics.urls")),
    path("", include("health.urls")),
    path("", include("integrations.urls")),
    path("", include("audit_log.urls")),
    path("docs/", OpenApiPage.as_view(url_name="openapi-json"), name="openapi-docs"),
    path("swagger.json", OpenApiJsonView.as_view(), name="openapi-json"),
    path("swagger.yaml", OpenApiYamlView.as_view(), name="openapi-yaml"),
]

api_v2 = [
    path("analytics/flags/", EvaluationsView.as_view()),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", include(admin_pages)),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api_v1)),
    path("api/v2/", include(api_v2)),
    path("api/experiments/", include(flag_updates)),
    path("api/__future__/", include(whole_flags)),
    path(
        "password-reset/confirm/<str:uid>/<str:token>/",
        PasswordResetPage.as_view(),
        name="password-reset-page",
    ),
    path("password-reset/<str:uidb64>/<str:token>/", PasswordPage.as_view(), name="password-page"),
    path("config", ConfigurationView.as_view(), name="configuration"),
    path("", include("operations.urls")),
    path("ofrep/v1/", include("sdk.ofrep.urls")),
    path("", include(streams)),
    path("", include(oidc_pages)),
]

handler400 = "core.errors.bad_request"
handler403 = "core.errors.forbidden"
handler404 = "core.errors.not_found"
handler500 = "core.errors.server_error"

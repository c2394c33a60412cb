from django.urls import URLPattern, URLResolver, path

from accounts.oidc.pages import CallbackView, LeaveView
from accounts.oidc.views import CodeView

urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/oidc/code/", CodeView.as_view(), name="oidc-code"),
]

# Below /admin/: what is registered at Google for the administration of Flagsmith's servers.
admin_pages: list[URLPattern | URLResolver] = [
    path(
        "admin_sso/assignment/end/",
        CallbackView.as_view(),
        {"provider": "google-admin"},
        name="admin-callback",
    ),
]

# Not below /api/: these are for browsers.
pages: list[URLPattern | URLResolver] = [
    path("oidc/<slug:provider>/login/", LeaveView.as_view(), name="oidc-login"),
    path("oidc/<slug:provider>/callback/", CallbackView.as_view(), name="oidc-callback"),
]

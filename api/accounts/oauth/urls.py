from django.urls import URLPattern, URLResolver, path

from accounts.oauth.views import GitHubView, GoogleView

urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/oauth/google/", GoogleView.as_view(), name="oauth-google"),
    path("auth/oauth/github/", GitHubView.as_view(), name="oauth-github"),
]

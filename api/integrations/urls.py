from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from integrations.kinds import KINDS
from integrations.slack_views import (
    SlackCallbackView,
    SlackChannelsView,
    SlackOauthView,
    SlackSignatureView,
)
from integrations.views import viewset_of
from permissions.catalogue import Level

BELOW = {
    Level.ENVIRONMENT: "environments/<str:environment_key>",
    Level.PROJECT: "projects/<int:project_pk>",
    Level.ORGANISATION: "organisations/<str:organisation_pk>",
}

router = SimpleRouter(use_regex_path=False)
for kind in KINDS.values():
    for level in kind.levels:
        router.register(
            f"{BELOW[level]}/integrations/{kind.name}", viewset_of(kind, level), f"{level.value}-{kind.name}"
        )

SLACK = f"{BELOW[Level.ENVIRONMENT]}/integrations/slack"

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{SLACK}-channels/", SlackChannelsView.as_view(), name="slack-channels"),
    path(f"{SLACK}/signature/", SlackSignatureView.as_view(), name="slack-signature"),
    path(f"{SLACK}/oauth/", SlackOauthView.as_view(), name="slack-oauth"),
    path(f"{SLACK}/callback/", SlackCallbackView.as_view(), name="slack-callback"),
    *router.urls,
]

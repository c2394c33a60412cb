from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from integrations.kinds import KINDS
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

urlpatterns: list[URLPattern | URLResolver] = [*router.urls]

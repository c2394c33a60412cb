"""Where the OpenAPI document is served, to programs and to people."""

from typing import Any, ClassVar

from django.conf import settings
from django.http import Http404, HttpResponse
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from core.openapi import rendered_document


class Documentation(APIView):
    """For everyone, for users only, or for nobody. A person's browser has the session of /admin/."""

    schema = None

    def initial(self, request: Request, *args: Any, **path: Any) -> None:
        if settings.DISABLE_API_DOCS:
            raise Http404
        super().initial(request, *args, **path)

    def get_authenticators(self) -> list[BaseAuthentication]:
        if not settings.REQUIRE_AUTHENTICATION_FOR_API_DOCS:
            return []
        classes: list[Any] = [*api_settings.DEFAULT_AUTHENTICATION_CLASSES, SessionAuthentication]
        return [each() for each in classes]

    def get_permissions(self) -> list[Any]:
        return [IsAuthenticated() if settings.REQUIRE_AUTHENTICATION_FOR_API_DOCS else AllowAny()]


class OpenApiPage(Documentation, SpectacularSwaggerView):
    """Shows the document to people."""

    # A page: describing itself to OPTIONS, as data, would need what a page hasn't got.
    http_method_names = ["get", "head"]


class OpenApiView(Documentation):
    """Serves the document to programs."""

    media_type: ClassVar[str]

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(rendered_document(self.media_type), content_type=self.media_type)


class OpenApiJsonView(OpenApiView):
    media_type = "application/json"


class OpenApiYamlView(OpenApiView):
    media_type = "application/yaml"

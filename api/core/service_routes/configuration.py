"""What this installation's settings came to, on a developer's machine."""

import re
from typing import Any

from django.conf import settings
from django.views.debug import SafeExceptionReporterFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Problem
from core.service_routes.key import ServiceView

_DEVELOPMENT = {"local", "dev", "develop", "development", "test"}


class SettingsFilter(SafeExceptionReporterFilter):
    """Masks what Django masks in its own pages of errors, and what goes by other names here."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|DSN|CREDENTIAL|SALT|PRIVATE|CONNECTION_STRING",
        re.IGNORECASE,
    )


# user:password@ in a URL
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


class ConfigurationView(ServiceView):
    """The effective settings. Only where `ENV` names a developer's environment."""

    def is_there(self) -> bool:
        return super().is_there() and settings.ENV.lower() in _DEVELOPMENT

    @extend_schema(
        operation_id="get_configuration", tags=["service"], responses={200: OpenApiTypes.OBJECT, 401: Problem}
    )
    def get(self, request: Request) -> Response:
        """Return every setting by name. Secrets are masked."""
        effective = SettingsFilter().get_safe_settings()
        return Response({name: _shown(value) for name, value in sorted(effective.items())})


def _shown(value: Any) -> Any:
    """Return a setting's value as JSON has it; a text instead of what JSON hasn't got."""
    if isinstance(value, dict):
        return {str(key): _shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _CREDENTIALS.sub(f"{SafeExceptionReporterFilter.cleansed_substitute}@", str(value))

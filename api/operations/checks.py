"""What must not be set together, or needs something that isn't there, of what watches over the server."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

EXPORTER = "azure.monitor.opentelemetry.exporter"


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # what it stands in
        return False


@register
def check_traces(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.TRACES_ENABLED:
        return found
    if settings.OTEL_EXPORTER_OTLP_PROTOCOL != "http/protobuf":
        found.append(
            Warning(
                "Traces are sent by OTLP over HTTP, whatever OTEL_EXPORTER_OTLP_PROTOCOL says.",
                hint="Set it to http/protobuf, and OTEL_EXPORTER_OTLP_ENDPOINT to the port for that.",
                id="operations.W001",
            )
        )
    if settings.APPLICATION_INSIGHTS_CONNECTION_STRING and not _is_installed(EXPORTER):
        found.append(
            Error(
                "APPLICATION_INSIGHTS_CONNECTION_STRING needs a package that isn't installed.",
                hint="pip install azure-monitor-opentelemetry-exporter, in an image made from Burgee's.",
                id="operations.E001",
            )
        )
    return found

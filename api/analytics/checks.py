"""System checks: whether counts are kept where somebody thinks they are."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

_NEEDED = ("INFLUXDB_URL", "INFLUXDB_TOKEN", "INFLUXDB_ORG", "INFLUXDB_BUCKET")


@register()
def check_influxdb_is_named_whole(**options: Any) -> list[CheckMessage]:
    """Find settings that name an InfluxDB server and not all that it takes to write there."""
    missing = [name for name in _NEEDED if not getattr(settings, name)]
    if settings.USE_POSTGRES_FOR_ANALYTICS or not settings.INFLUXDB_TOKEN or not missing:
        return []
    return [
        Warning(
            f"INFLUXDB_TOKEN is set without {', '.join(missing)}: counts are kept in PostgreSQL.",
            hint="Set them all, or none.",
            id="analytics.W001",
        )
    ]

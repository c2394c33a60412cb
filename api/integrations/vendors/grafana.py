"""Grafana: an annotation for each change. https://grafana.com/docs/grafana/latest/developers/http_api/annotations/"""

from collections.abc import Mapping
from typing import Any

from integrations.calls import Call, below, json_call
from integrations.events import Event


def call(event: Event, configuration: Mapping[str, Any]) -> Call:
    milliseconds = int(event.at.timestamp() * 1000)
    annotation = {"tags": _tags(event), "text": event.log, "time": milliseconds, "timeEnd": milliseconds}
    url = below(configuration["base_url"], "api/annotations")
    return json_call(url, annotation, Authorization=f"Bearer {configuration['api_key']}")


def _tags(event: Event) -> list[str]:
    tags = [
        "flagsmith",
        f"project:{event.project}",
        f"environment:{event.environment}",
        f"by:{event.user}",
    ]
    if event.feature is not None:
        tags.append(f"feature:{event.feature}")
    if event.is_enabled is not None:
        tags.append("flag:enabled" if event.is_enabled else "flag:disabled")
    if event.segment is not None:
        tags.append(f"segment:{event.segment}")
    return tags + event.tags

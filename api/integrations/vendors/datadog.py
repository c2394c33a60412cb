"""Datadog: an event for each change. https://docs.datadoghq.com/api/latest/events/"""

from collections.abc import Mapping
from typing import Any

from integrations.calls import Call, below, json_call
from integrations.events import Event


def call(event: Event, configuration: Mapping[str, Any]) -> Call:
    payload = {
        "title": "Flagsmith Feature Flag Event",
        "text": event.sentence,
        "tags": [f"env:{event.environment}"],
    }
    if configuration["use_custom_source"]:
        payload["source_type_name"] = "flagsmith"
    return json_call(
        below(configuration["base_url"], "api/v1/events", api_key=configuration["api_key"]), payload
    )

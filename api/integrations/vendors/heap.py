"""Heap: an event with flags as its properties. https://developers.heap.io/reference/track-1"""

from collections.abc import Mapping
from typing import Any

from integrations.calls import Call, below, json_call
from integrations.identities import Reading

BASE_URL = "https://heapanalytics.com"


def call(reading: Reading, configuration: Mapping[str, Any]) -> Call:
    payload = {
        "app_id": configuration["api_key"],
        "identity": reading.identifier,
        "event": "Flagsmith Feature Flags",
        "properties": reading.properties,
    }
    return json_call(below(configuration["base_url"] or BASE_URL, "api/track"), payload)

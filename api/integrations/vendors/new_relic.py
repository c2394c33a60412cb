"""New Relic: a deployment of an application for each change."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from integrations.calls import Call, below, json_call
from integrations.events import Event


def call(event: Event, configuration: Mapping[str, Any]) -> Call:
    path = f"v2/applications/{quote(configuration['app_id'], safe='')}/deployments.json"
    deployment = {
        "revision": f"env:{event.environment}",
        "changelog": event.sentence,
        "description": "Flagsmith Feature Flag Event",
    }
    url = below(configuration["base_url"], path)
    return json_call(url, {"deployment": deployment}, X_Api_Key=configuration["api_key"])

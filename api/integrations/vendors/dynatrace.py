"""Dynatrace: a deployment event on chosen entities for each change."""

from collections.abc import Mapping
from typing import Any

from integrations.calls import Call, below, json_call
from integrations.events import Event


def call(event: Event, configuration: Mapping[str, Any]) -> Call:
    url = below(configuration["base_url"], "api/v2/events/ingest", **{"api-token": configuration["api_key"]})
    payload = {
        "title": "Flagsmith flag change.",
        "eventType": "CUSTOM_DEPLOYMENT",
        "entitySelector": configuration["entity_selector"],
        "properties": {
            "event": event.sentence,
            "environment": event.environment,
            "dt.event.deployment.name": _deployment(event),
        },
    }
    return json_call(url, payload)


def _deployment(event: Event) -> str:
    if event.feature is not None:
        return f"Flagsmith Deployment - Flag Changed: {event.feature}"
    if event.segment is not None:
        return f"Flagsmith Deployment - Segment Changed: {event.segment}"
    return "Deployment"

"""Amplitude: flags as properties of a user. https://amplitude.com/docs/apis/analytics/identify"""

from collections.abc import Mapping
from typing import Any

from core.outgoing import as_bytes
from integrations.calls import Call, below, form_call
from integrations.identities import Reading

BASE_URL = "https://api2.amplitude.com"


def call(reading: Reading, configuration: Mapping[str, Any]) -> Call:
    user = {"user_id": reading.identifier, "user_properties": reading.properties}
    fields = {"api_key": configuration["api_key"], "identification": as_bytes([user]).decode()}
    return form_call(below(configuration["base_url"] or BASE_URL, "identify"), fields)

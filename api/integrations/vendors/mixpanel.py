"""Mixpanel: flags as properties of a profile. https://developer.mixpanel.com/reference/profile-set"""

from collections.abc import Mapping
from typing import Any

from integrations.calls import Call, below, json_call
from integrations.identities import Reading

BASE_URL = "https://api.mixpanel.com"


def call(reading: Reading, configuration: Mapping[str, Any]) -> Call:
    profile = {
        "$token": configuration["api_key"],
        "$distinct_id": reading.identifier,
        "$set": reading.properties,
        "$ip": "0",  # ours says nothing of where the user is
    }
    url = below(configuration["base_url"] or BASE_URL, "engage#profile-set")
    return json_call(url, [profile], Accept="text/plain", X_Mixpanel_Integration_ID="flagsmith")

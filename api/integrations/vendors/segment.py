"""Segment: flags as traits of a user. https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/"""

from collections.abc import Mapping
from typing import Any

from integrations.calls import Call
from integrations.identities import Reading
from integrations.vendors.identify import identify

BASE_URLS = ["https://api.segment.io/", "https://events.eu1.segmentapis.com/"]


def call(reading: Reading, configuration: Mapping[str, Any]) -> Call:
    return identify(configuration["base_url"], configuration["api_key"], reading)

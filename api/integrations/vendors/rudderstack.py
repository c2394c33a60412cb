"""RudderStack: flags as traits of a user. https://www.rudderstack.com/docs/api/http-api/"""

from collections.abc import Mapping
from typing import Any

from integrations.calls import Call
from integrations.identities import Reading
from integrations.vendors.identify import identify


def call(reading: Reading, configuration: Mapping[str, Any]) -> Call:
    return identify(configuration["base_url"], configuration["api_key"], reading)

"""A webhook for identities: all that is known of one, signed like other webhooks."""

from collections.abc import Mapping
from typing import Any

from core.outgoing import as_bytes, signed
from integrations.calls import Call
from integrations.identities import Reading


def call(reading: Reading, configuration: Mapping[str, Any]) -> Call:
    body = as_bytes(
        {
            "identity": reading.identifier,
            "traits": reading.traits,
            "flags": reading.flags,
            "segments": reading.segments,
        }
    )
    return Call(configuration["url"], body, signed(body, configuration["secret"]))

"""Counts what SDKs ask for, and from what.

Whoever answers a request counts it, as soon as its key has opened an environment, and once: the lane counts
nothing that it leaves to Django.
"""

from collections.abc import Mapping

from django.conf import settings

from analytics.models import LONGEST_LABEL, Resource
from analytics.tallies import Client, RequestTally

Told = tuple[bytes | None, bytes | None, bytes | None, bytes | None]

# `flagsmith-python-sdk/4.0.0`. What browsers and HTTP libraries say in its place tells of no SDK.
_SDK = b"flagsmith-"

MOST_KNOWN_CLIENTS = 4096
_LONGEST_KNOWN = 512

requests = RequestTally()
# Read once: reading a setting takes as long as counting.
is_on: bool = settings.ENABLE_API_USAGE_TRACKING
known_clients: dict[Told, Client] = {}


def count(environment_id: int, resource: Resource, headers: Mapping[bytes, bytes]) -> None:
    """Count a request, on the event loop.

    Args:
        headers: the request's, by names in lower case.
    """
    if not is_on:
        return
    get = headers.get
    told = (
        get(b"flagsmith-sdk-user-agent"),  # browsers don't let an SDK name itself in the other
        get(b"user-agent"),
        get(b"flagsmith-application-name"),
        get(b"flagsmith-application-version"),
    )
    requests.add(environment_id, resource, known_clients.get(told) or _read_client(told))


def _read_client(told: Told) -> Client:
    sdk, agent, name, version = told
    if not sdk and agent and agent.startswith(_SDK):
        sdk = agent
    client = "\t".join(map(_label, (sdk, name, version)))
    if sum(len(each or b"") for each in told) <= _LONGEST_KNOWN:
        if len(known_clients) >= MOST_KNOWN_CLIENTS:
            known_clients.clear()
        known_clients[told] = client
    return client


def _label(told: bytes | None) -> str:
    """Return what a header says as something to show in a list: short, and of printable characters."""
    text = (told or b"").decode(errors="replace")
    return "".join(character for character in text if character.isprintable())[:LONGEST_LABEL].strip()

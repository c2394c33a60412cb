"""Counts what SDKs ask for and from what, and what they report to have evaluated.

Whoever answers a request counts it, as soon as its key has opened an environment, and once: the lane counts
nothing that it leaves to Django. What is here runs on the event loop, and in a thread by `from_thread`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeGuard

from django.conf import settings

from analytics.buffer import Buffer
from analytics.kept import evaluations_stores, requests_store
from analytics.models import LONGEST_LABEL, Resource
from analytics.tallies import Client, EvaluationTally, RequestTally
from sdk.snapshots import Snapshot

# More evaluations of one feature than any process makes between two reports.
HIGHEST_COUNT = 2**31 - 1
MOST_KNOWN_CLIENTS = 4096

# `flagsmith-python-sdk/4.0.0`. What browsers and HTTP libraries say in its place tells of no SDK.
_SDK = b"flagsmith-"
_SDK_AGENT = b"flagsmith-sdk-user-agent"  # browsers don't let an SDK name itself in the other
_AGENT = b"user-agent"
_NAME = b"flagsmith-application-name"
_VERSION = b"flagsmith-application-version"
_LONGEST_KNOWN = 512

Told = tuple[bytes | None, bytes | None, bytes | None, bytes | None]

requests = RequestTally()
request_counts = Buffer(requests, requests_store(), seconds=settings.API_USAGE_CACHE_SECONDS)
# A tally for each store: while one of them is away, the others are written to all the same.
evaluation_counts = [
    (tally, Buffer(tally, store, seconds=settings.FEATURE_EVALUATION_CACHE_SECONDS))
    for store in evaluations_stores()
    for tally in [EvaluationTally()]
]
# Read once: reading a setting takes as long as counting.
is_on: bool = settings.ENABLE_API_USAGE_TRACKING
known_clients: dict[Told, Client] = {}


class IdentityEvaluation(NamedTuple):
    """Evaluations of one feature, for an identity or, with an empty identifier, for nobody in particular."""

    feature_name: str
    identifier: str
    enabled: bool
    times: int


def count(environment_id: int, resource: Resource, headers: Mapping[bytes, bytes]) -> None:
    """Count a request.

    Args:
        headers: the request's, by names in lower case.
    """
    if not is_on:
        return
    get = headers.get
    told = get(_SDK_AGENT), get(_AGENT), get(_NAME), get(_VERSION)
    requests.add(environment_id, resource, known_clients.get(told) or _read_client(told))


def count_from_thread(environment_id: int, resource: Resource, headers: Mapping[str, str]) -> None:
    """Count a request that Django answers.

    Args:
        headers: the request's, by names in any letter case.
    """
    if is_on:
        told = {
            name: headers[name.decode()].encode("latin-1", errors="replace")
            for name in (_SDK_AGENT, _AGENT, _NAME, _VERSION)
            if name.decode() in headers
        }
        request_counts.from_thread(count, environment_id, resource, told)


def counted(snapshot: Snapshot, report: Mapping[str, object]) -> dict[str, int]:
    """Return what a report counts of the features that there are: `{"new_checkout": 12}`.

    A feature is found whatever the letter case: the JavaScript SDK counts under names in lower case. What is
    no count, or of no feature, is left out, so that what is kept is bounded by what there is.
    """
    counts: dict[str, int] = {}
    for name, number in report.items():
        feature_name = snapshot.names_in_lower_case.get(name.lower())
        if feature_name is not None and _is_count(number):
            counts[feature_name] = counts.get(feature_name, 0) + number
    return counts


def count_evaluations(environment_id: int, counts: Mapping[str, int]) -> None:
    """Count evaluations by the names of features that there are."""
    for tally, _ in evaluation_counts:
        _add(tally, environment_id, counts)


def count_evaluations_from_thread(environment_id: int, counts: Mapping[str, int]) -> None:
    """Count evaluations that were reported to Django."""
    for tally, buffer in evaluation_counts:
        buffer.from_thread(_add, tally, environment_id, counts)


def count_identity_evaluations_from_thread(
    environment_id: int, reported: Sequence[IdentityEvaluation]
) -> None:
    """Count evaluations of features that there are, for the features and for the identities."""
    for tally, buffer in evaluation_counts:
        buffer.from_thread(_add_for_identities, tally, environment_id, reported)


def evaluations_state() -> dict[str, int]:
    """Return what metrics show, of all stores together."""
    states = [buffer.state() for _, buffer in evaluation_counts]
    return {name: sum(each[name] for each in states) for name in states[0]}


def _add(tally: EvaluationTally, environment_id: int, counts: Mapping[str, int]) -> None:
    for name, number in counts.items():
        tally.add(environment_id, name, number)


def _add_for_identities(
    tally: EvaluationTally, environment_id: int, reported: Sequence[IdentityEvaluation]
) -> None:
    for each in reported:
        tally.add_for_identity(environment_id, *each)


def _is_count(given: object) -> TypeGuard[int]:
    return isinstance(given, int) and not isinstance(given, bool) and 0 < given <= HIGHEST_COUNT


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

"""Telling other services whose flags were read, and what they are served."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from engine.flags import Flag
from environments.models import Environment
from integrations.identities import Reading, property_of
from integrations.selectors import integration_with
from integrations.sending import send
from sdk.identities import KnownIdentity, KnownTrait
from sdk.payloads import trait_item
from sdk.snapshots import Snapshot
from sdk.store import snapshots
from tasks.registry import task

_DRAWN = "SPLIT; weight="


# Sealed: what is known of people stands in it.
@task(
    attempts=3,
    backoff=timedelta(seconds=10),
    timeout=timedelta(minutes=5),
    is_sealed=True,
    is_kept=False,
)
def tell_of_identities(*, integration_id: int, identities: list[dict[str, Any]]) -> None:
    """Tell a service of identities, one after the other, with what they are served now.

    Where it doesn't take one the rest waits with it for the next attempt, and some may then be told again:
    all of these services keep the last that they were told.

    Args:
        identities: `[{"identifier": "kim", "traits": {"plan": ["pro", false]}}]`, a value and whether it is
            transient.

    Raises:
        NotTakenError, CallFailedError: it can't be reached, or answers that it can't at the moment.
        GiveUp: it doesn't take it.
    """
    integration = integration_with(integration_id)
    if integration is None or integration.environment_id is None or integration.about.of_identity is None:
        return
    try:
        snapshot = snapshots.current(integration.environment_id)
    except Environment.DoesNotExist:
        return
    for each in identities:
        traits = {key: KnownTrait(*trait) for key, trait in each["traits"].items()}
        known = KnownIdentity(each["identifier"], traits)
        send(integration.about.of_identity(reading_of(snapshot, known), integration.configuration))


def reading_of(snapshot: Snapshot, known: KnownIdentity) -> Reading:
    """Return an identity with what it is served, as servers see it."""
    traits = {key: trait.value for key, trait in known.traits.items()}
    evaluation = snapshot.evaluate(known.identifier, traits)
    shown = [flag for flag in evaluation.flags.values() if snapshot.shows(flag, to_server=True)]
    member_of = {_id(segment) for segment in evaluation.segments}
    return Reading(
        identifier=known.identifier,
        properties={flag.name: property_of(flag.enabled, flag.value) for flag in shown},
        traits=[trait_item(key, trait) for key, trait in sorted(known.traits.items())],
        flags=[_flag(snapshot, flag) for flag in shown],
        segments=[
            {"id": _id(segment), "name": segment["name"], "member": _id(segment) in member_of}
            for segment in snapshot.compiled.segments
        ],
    )


def _flag(snapshot: Snapshot, flag: Flag) -> dict[str, Any]:
    item: dict[str, Any] = json.loads(snapshot.identity_items.of(flag, to_server=True))
    if flag.reason.startswith(_DRAWN):
        item["percentage_allocation"] = float(flag.reason.removeprefix(_DRAWN))
    return item


def _id(segment: Mapping[str, Any]) -> int | None:
    return (segment["metadata"] or {}).get("id")

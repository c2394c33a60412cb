"""Telling other services whose flags were read, and what they are served; keeping caches clean."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from documents.prerequisites import is_made_up
from engine.flags import Flag
from environments.models import Environment
from integrations.calls import Call
from integrations.identities import Reading, property_of
from integrations.models import Integration
from integrations.selectors import configuration_of
from integrations.tasks import TIMEOUT, tell_in_turn
from sdk.identities import KnownIdentity, KnownTrait
from sdk.payloads import trait_item
from sdk.shared_cache import SharedCache
from sdk.snapshots import Snapshot
from sdk.store import snapshots
from tasks.registry import recurring, task

# Longer than an hour, since tasks may have to wait, and the last builder may come late to the cache.
_SHARED_AFTER_DELETION = timedelta(days=1)
_DRAWN = "SPLIT; weight="


@task(timeout=TIMEOUT, is_kept=False)
def tell_of_identities(*, integration_id: int) -> None:
    """Tell a service of identities, with what they are served now."""
    tell_in_turn(integration_id, _calls_of_identities)


@recurring(every=timedelta(hours=1))
def forget_deleted_environments() -> None:
    """Take out of the shared cache what was deleted while no worker had it in memory to notice."""
    cache, since = SharedCache(), timezone.now() - _SHARED_AFTER_DELETION
    if cache.is_shared:
        for environment_id in Environment.all_objects.filter(deleted_at__gt=since).values_list(
            "pk", flat=True
        ):
            cache.forget(environment_id)


def _calls_of_identities(integration: Integration, content: Any) -> list[Call]:
    """Return what is sent for a message.

    Args:
        content: `{"identities": [{"identifier": "kim", "traits": {"plan": ["pro", false]}}]}`, each trait
            with whether it is transient.
    """
    of_identity = integration.about.of_identity
    if of_identity is None or integration.environment_id is None:
        return []
    try:
        snapshot = snapshots.current(integration.environment_id)
    except Environment.DoesNotExist:
        return []
    configuration = configuration_of(integration)
    return [of_identity(reading_of(snapshot, _known(each)), configuration) for each in content["identities"]]


def _known(noted: Mapping[str, Any]) -> KnownIdentity:
    traits = {key: KnownTrait(*trait) for key, trait in noted["traits"].items()}
    return KnownIdentity(noted["identifier"], traits)


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
            if not is_made_up(segment)
        ],
    )


def _flag(snapshot: Snapshot, flag: Flag) -> dict[str, Any]:
    item: dict[str, Any] = json.loads(snapshot.identity_items.of(flag, to_server=True))
    if flag.reason.startswith(_DRAWN):
        item["percentage_allocation"] = float(flag.reason.removeprefix(_DRAWN))
    return item


def _id(segment: Mapping[str, Any]) -> int | None:
    return (segment["metadata"] or {}).get("id")

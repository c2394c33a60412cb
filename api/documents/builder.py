"""The one builder of environment documents, from rows (the Flagsmith SDK contract, "Environment document").

The document is what SDKs with local evaluation download, and what this server compiles to answer the
others: both evaluate the same thing. It holds everything, also what is disabled, archived or only for
servers. Every field is always there: each is one that some SDK can't live without.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, TypeVar

from documents.prerequisites import express
from documents.rows import AllocationRow, EnvironmentRow, EnvironmentRows, IdentityRow, StateRow
from engine.documents import (
    EnvironmentDocument,
    FeatureStateDocument,
    IdentityDocument,
    RuleDocument,
    SegmentDocument,
    VariantAllocationDocument,
)
from identities.uuids import identity_uuid

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BuiltEnvironment:
    """An environment's document, and what it doesn't say.

    Attributes:
        document: complete, unless overrides of identities were known and so not read.
        identity_overrides: by the id of the identity, whether or not the environment lets SDKs have them.
        state_ids: the ids of the feature states, by their uuid: the document has their hash seeds instead.
    """

    document: EnvironmentDocument
    identity_overrides: Mapping[int, IdentityDocument]
    state_ids: Mapping[str, int]


def build(rows: EnvironmentRows, *, with_unused_segments: bool = False) -> BuiltEnvironment:
    """Return the document of what `rows` hold. Pure: no queries.

    Args:
        with_unused_segments: hold also segments of one feature that don't override it here.
    """
    environment, project = rows.environment, rows.environment["project"]
    organisation = project["organisation"]
    states = _StateDocuments(rows)
    overrides = _identity_overrides(rows, states)
    # In the order in which flags are answered.
    defaults = [states.document(state) for state in sorted(rows.default_states, key=itemgetter("feature_id"))]
    segments = _segments(rows, states, with_unused=with_unused_segments)
    if rows.prerequisites:
        defaults, segments = express(rows.prerequisites, defaults, segments)
    document: EnvironmentDocument = {
        "id": environment["id"],
        "api_key": environment["api_key"],
        "name": environment["name"],
        "updated_at": updated_at(rows).isoformat(),
        "allow_client_traits": environment["allow_client_traits"],
        "hide_sensitive_data": environment["hide_sensitive_data"],
        "hide_disabled_flags": environment["hide_disabled_flags"],
        "use_identity_composite_key_for_hashing": environment["use_identity_composite_key_for_hashing"],
        "use_identity_overrides_in_local_eval": environment["use_identity_overrides_in_local_eval"],
        "project": {
            "id": project["id"],
            "name": project["name"],
            "hide_disabled_flags": project["hide_disabled_flags"],
            "enable_realtime_updates": project["enable_realtime_updates"],
            "server_key_only_feature_ids": [
                each["id"] for each in rows.features if each["is_server_key_only"]
            ],
            "organisation": {
                "id": organisation["id"],
                "name": organisation["name"],
                "feature_analytics": organisation["feature_analytics"],
                "stop_serving_flags": organisation["stop_serving_flags"],
                "persist_trait_data": organisation["persist_trait_data"],
            },
            "segments": segments,
        },
        "feature_states": defaults,
        # Last, where what is encoded already can be put in its place.
        "identity_overrides": (
            list(overrides.values()) if environment["use_identity_overrides_in_local_eval"] else []
        ),
    }
    return BuiltEnvironment(document, overrides, {state["uuid"]: state["id"] for state in rows.states})


def updated_at(rows: EnvironmentRows) -> datetime:
    """Return when the environment last changed; where no change is committed yet, when it was made."""
    return (
        rows.revision.updated_at
        if rows.revision
        else datetime.fromisoformat(rows.environment["created_date"])
    )


class _StateDocuments:
    """Writes feature states, each with its own weights."""

    def __init__(self, rows: EnvironmentRows) -> None:
        self._features = {feature["id"]: feature for feature in rows.features}
        self._allocations = _grouped(rows.allocations, by=itemgetter("feature_state_id"))

    def document(self, state: StateRow) -> FeatureStateDocument:
        feature = self._features[state["feature_id"]]
        allocations = self._allocations[state["id"]]
        pinned = _pinned(allocations) if state["identity"] else None
        return {
            "feature": {"id": feature["id"], "name": feature["name"], "type": feature["type"]},
            "enabled": state["enabled"],
            "django_id": state["hash_seed"] or state["id"],
            "feature_segment": {"priority": state["priority"]} if state["segment_id"] else None,
            "featurestate_uuid": state["uuid"],
            # Most SDKs read this alone of an identity's override, whatever the weights beside it say.
            "feature_state_value": pinned["option"]["value"] if pinned else state["value"],
            "multivariate_feature_state_values": [_allocation(each) for each in allocations],
        }


def _pinned(allocations: list[AllocationRow]) -> AllocationRow | None:
    """Return the allocation that takes everyone, if there is one."""
    return next((each for each in allocations if each["percentage_allocation"] == 100), None)


def _allocation(allocation: AllocationRow) -> VariantAllocationDocument:
    option = allocation["option"]
    return {
        "id": allocation["id"],  # not the option's: SDKs order the variants by it
        "mv_fs_value_uuid": allocation["uuid"],
        "percentage_allocation": float(allocation["percentage_allocation"]),
        "multivariate_feature_option": {
            "id": option["id"],
            "value": option["value"],
            "key": option["key"],
        },
    }


def _segments(
    rows: EnvironmentRows, states: _StateDocuments, *, with_unused: bool = False
) -> list[SegmentDocument]:
    """Write the project's segments; `with_unused` also those of one feature that don't override it here."""
    overrides = _grouped(rows.segment_states, by=itemgetter("segment_id"))
    rules = _Rules(rows)
    return [
        {
            "id": segment["id"],
            "name": segment["name"],
            "rules": rules.documents(segment["id"], None),
            "feature_states": [states.document(state) for state in overrides[segment["id"]]],
        }
        for segment in rows.segments
        if with_unused or segment["feature_id"] is None or overrides[segment["id"]]
    ]


class _Rules:
    """Writes rules, each with its conditions and the rules below it."""

    def __init__(self, rows: EnvironmentRows) -> None:
        self._rules = _grouped(rows.rules, by=itemgetter("segment_id", "parent_id"))
        self._conditions = _grouped(rows.conditions, by=itemgetter("rule_id"))

    def documents(self, segment_id: int, parent_id: int | None) -> list[RuleDocument]:
        return [
            {
                "type": rule["type"],
                "conditions": [
                    {
                        "operator": condition["operator"],
                        "property_": condition["property"],
                        # Python's SDK reads a value from every condition, and the schema says it is text.
                        "value": condition["value"] or "",
                    }
                    for condition in self._conditions[rule["id"]]
                ],
                "rules": self.documents(segment_id, rule["id"]),
            }
            for rule in self._rules[segment_id, parent_id]
        ]


def _identity_overrides(rows: EnvironmentRows, states: _StateDocuments) -> dict[int, IdentityDocument]:
    identities: dict[int, IdentityRow] = {}
    overrides: dict[int, list[FeatureStateDocument]] = defaultdict(list)
    for state in rows.states:
        if identity := state["identity"]:
            identities[identity["id"]] = identity
            overrides[identity["id"]].append(states.document(state))
    return {
        identity_id: _identity(identity, rows.environment, overrides[identity_id])
        for identity_id, identity in sorted(identities.items())
    }


def _identity(
    identity: IdentityRow, environment: EnvironmentRow, overrides: list[FeatureStateDocument]
) -> IdentityDocument:
    composite_key = f"{environment['api_key']}_{identity['identifier']}"
    return {
        "identifier": identity["identifier"],
        "identity_uuid": identity_uuid(environment["api_key"], identity["identifier"]),
        "created_date": datetime.fromisoformat(identity["created_date"]).isoformat(),
        "environment_api_key": environment["api_key"],
        "composite_key": composite_key,
        "django_id": identity["id"],
        "dashboard_alias": None,
        "identity_features": overrides,
        "identity_traits": [],
    }


def _grouped(rows: Iterable[T], *, by: Callable[[T], Any]) -> dict[Any, list[T]]:
    """Return the rows in lists by a key; a key that no row has gives an empty list."""
    groups: dict[Any, list[T]] = defaultdict(list)
    for row in rows:
        groups[by(row)].append(row)
    return groups

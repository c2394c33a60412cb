"""Reading all rows that make one environment's document, as one moment saw them.

Overrides of identities may be many thousands, of which a change touches one. So what is read of them first is
a fingerprint of everything that they show; whoever knows an identity by its fingerprint need not read it.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypedDict

from django.db import DEFAULT_DB_ALIAS, connections

from core.kept_bytes import KeptBytes
from core.moments import one_moment
from core.version import VERSION
from documents.queries import EVERYTHING, OF_IDENTITIES, WITHOUT_IDENTITIES
from environments.models import Environment, EnvironmentRevision

# Environments by revision, without identities, for those who look at single ones.
_kept = KeptBytes("project-segments", "segments")

# What is known of each identity's overrides; equal as long as nothing about them has changed.
Fingerprints = Mapping[int, Sequence[int]]
Value = str | int | float | bool | None


class RevisionName(NamedTuple):
    """Names one content of one environment: `12:345:<nonce>`, as notifications spell it.

    `number` orders what one database wrote. After a restore it may be given again, with another `nonce`.
    """

    environment_id: int
    number: int
    nonce: uuid.UUID

    def __str__(self) -> str:
        return f"{self.environment_id}:{self.number}:{self.nonce}"

    @classmethod
    def parse(cls, text: str) -> "RevisionName":
        """Raises ValueError."""
        environment_id, number, nonce = text.split(":")
        return cls(int(environment_id), int(number), uuid.UUID(nonce))


@dataclass(frozen=True, slots=True)
class Revision:
    """One content of one environment: its name, and when it and the one before came into being."""

    name: RevisionName
    updated_at: datetime
    previous_updated_at: datetime | None

    @property
    def is_alone_in_its_second(self) -> bool:
        """Whether whole seconds tell it from the revision before."""
        before = self.previous_updated_at
        return before is None or before.replace(microsecond=0) < self.updated_at.replace(microsecond=0)


class OrganisationRow(TypedDict):
    id: int
    name: str
    feature_analytics: bool
    stop_serving_flags: bool
    persist_trait_data: bool


class ProjectRow(TypedDict):
    id: int
    name: str
    hide_disabled_flags: bool
    enable_realtime_updates: bool
    organisation: OrganisationRow


class EnvironmentRow(TypedDict):
    id: int
    api_key: str
    name: str
    created_date: str
    allow_client_traits: bool
    hide_sensitive_data: bool
    hide_disabled_flags: bool | None
    use_identity_composite_key_for_hashing: bool
    use_identity_overrides_in_local_eval: bool
    tells_of_identities: bool
    project: ProjectRow


class FeatureRow(TypedDict):
    id: int
    name: str
    type: str
    description: str | None
    created_date: str
    default_enabled: bool
    initial_value: str | None
    is_server_key_only: bool


class OptionRow(TypedDict):
    id: int
    value: Value
    key: str | None


class AllocationRow(TypedDict):
    id: int
    uuid: str
    feature_state_id: int
    percentage_allocation: float
    option: OptionRow


class IdentityRow(TypedDict):
    id: int
    identifier: str
    created_date: str


class StateRow(TypedDict):
    """A feature state: everyone's, or with `segment_id` and `priority` a segment's, or an identity's."""

    id: int
    uuid: str
    feature_id: int
    enabled: bool
    value: Value
    hash_seed: int | None
    segment_id: int | None
    priority: int | None
    identity: IdentityRow | None


class SegmentRow(TypedDict):
    id: int
    name: str
    feature_id: int | None


class RuleRow(TypedDict):
    id: int
    segment_id: int
    parent_id: int | None
    type: str


class ConditionRow(TypedDict):
    rule_id: int
    operator: str
    property: str | None
    value: str | None


class PrerequisiteRow(TypedDict):
    """What a feature needs: another one that is switched as `enabled` says, with this value or variant."""

    id: int
    feature_id: int
    required_feature_id: int
    enabled: bool
    value: str | None
    variant: str | None


class KeyRow(TypedDict):
    key: str
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class EnvironmentRows:
    """Live, undeleted rows, each list in the order of ids. Instants are texts in ISO 8601.

    Attributes:
        revision: None where no change of the environment has been committed yet.
        states: of identities only those that were not known.
        server_side_keys: also those that have expired: whether one has is decided when it is used.
        fingerprints: of all identities that have overrides, by their ids, in the order of these.
    """

    revision: Revision | None
    environment: EnvironmentRow
    features: list[FeatureRow]
    states: list[StateRow]
    allocations: list[AllocationRow]
    segments: list[SegmentRow]
    rules: list[RuleRow]
    conditions: list[ConditionRow]
    server_side_keys: list[KeyRow]
    fingerprints: Fingerprints
    prerequisites: list[PrerequisiteRow] = field(default_factory=list)

    @property
    def default_states(self) -> list[StateRow]:
        """What everyone is served who has no override."""
        return [state for state in self.states if state["identity"] is None and state["segment_id"] is None]

    @property
    def segment_states(self) -> list[StateRow]:
        return [state for state in self.states if state["segment_id"] is not None]


def current_revision(environment_id: int, *, database: str = DEFAULT_DB_ALIAS) -> Revision | None:
    """Return the environment's revision, or None where no change of it has been committed yet. One query."""
    found = EnvironmentRevision.objects.using(database).filter(environment_id=environment_id)
    values = found.values_list(
        "environment_id", "revision", "nonce", "updated_at", "previous_updated_at"
    ).first()
    return Revision(RevisionName(*values[:3]), *values[3:]) if values else None


def read_rows(environment_id: int, *, known: Fingerprints | None = None) -> EnvironmentRows:
    """Read an environment with all that shows in its document.

    The revision comes first and everything in one snapshot of the database, so that the rows are exactly
    what this revision names. Three queries, whatever the number of rows.

    Args:
        known: the overrides of identities that still have the fingerprint they have here aren't read.

    Raises:
        Environment.DoesNotExist: there is none, or it, its project or its organisation is deleted.
    """
    with one_moment():
        return read_rows_of(environment_id, current_revision(environment_id), known=known)


def read_rows_of(
    environment_id: int,
    revision: Revision | None,
    *,
    known: Fingerprints | None = None,
    database: str = DEFAULT_DB_ALIAS,
) -> EnvironmentRows:
    """Do the same inside `one_moment`, with the revision that was read in it before anything else."""
    found = _read(database, EVERYTHING, environment=environment_id, version=VERSION)
    if found["environment"] is None:
        raise Environment.DoesNotExist
    fingerprints: dict[int, list[int]] = defaultdict(list)
    for identity_id, number in found.pop("fingerprints"):
        fingerprints[identity_id].append(number)
    changed = [each for each, fingerprint in fingerprints.items() if fingerprint != (known or {}).get(each)]
    if changed:
        of_identities = _read(database, OF_IDENTITIES, environment=environment_id, identities=changed)
        for part, more in of_identities.items():
            found[part] += more
    return EnvironmentRows(revision=revision, fingerprints=fingerprints, **found)


def read_rows_for(identity_ids: Collection[int], environment_id: int) -> EnvironmentRows:
    """Read an environment with the overrides of some identities only.

    Two queries, whatever their number. Where caches `project-segments` or `segments` are switched on, which
    keep all but the overrides by revision, three: two small ones instead of a large one.

    Raises:
        Environment.DoesNotExist: there is none, or it, its project or its organisation is deleted.
    """
    found = _kept_rows_for(identity_ids, environment_id) if _kept.is_on else None
    if found is None:
        with one_moment():
            found = _read_rows_for(identity_ids, environment_id)
    return EnvironmentRows(revision=None, **{**found, "fingerprints": {}})


def _kept_rows_for(identity_ids: Collection[int], environment_id: int) -> dict[str, Any] | None:
    """Do so with what is kept at the revision of this moment; None where nothing could be."""
    if connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return None  # which may have changed what has no revision yet
    with one_moment():
        revision = current_revision(environment_id)
        if revision is None:
            return None
        of_identities = _read_identities(identity_ids, environment_id)
    name = f"rows:{VERSION}:{revision.name}"
    # A cache may be a table of this database: it is asked outside of the transaction.
    content = _kept.find(name)
    if content is not None:
        return _together(json.loads(content), of_identities)
    with one_moment():
        revision = current_revision(environment_id)
        # No secret belongs there, and none shows in what identities are served.
        found = {**_read_rows_for((), environment_id), "server_side_keys": []}
        of_identities = _read_identities(identity_ids, environment_id)
    if revision is not None:
        _kept.keep(f"rows:{VERSION}:{revision.name}", json.dumps(found).encode())
    return _together(found, of_identities)


def _read_rows_for(identity_ids: Collection[int], environment_id: int) -> dict[str, Any]:
    found = _read(DEFAULT_DB_ALIAS, WITHOUT_IDENTITIES, environment=environment_id)
    if found["environment"] is None:
        raise Environment.DoesNotExist
    return _together(found, _read_identities(identity_ids, environment_id))


def _read_identities(identity_ids: Collection[int], environment_id: int) -> dict[str, Any]:
    if not identity_ids:
        return {}
    return _read(DEFAULT_DB_ALIAS, OF_IDENTITIES, environment=environment_id, identities=list(identity_ids))


def _together(found: dict[str, Any], of_identities: Mapping[str, Any]) -> dict[str, Any]:
    for part, more in of_identities.items():
        found[part] += more
    return found


def _read(database: str, sql: str, **parameters: Any) -> dict[str, Any]:
    """Return the one value of the one row. As JSON: it is taken apart quicker than many columns and rows."""
    with connections[database].cursor() as cursor:
        cursor.execute(sql, parameters)
        (text,) = cursor.fetchone()
    found: dict[str, Any] = json.loads(text)
    return found

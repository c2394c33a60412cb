"""Many identities in one statement: its SQL, and what its rows say. Whoever has a connection may run it.

A batch travels as one JSON text. Each of its identities is looked up by the index on digests, one after
the other: `LIMIT` holds the planner to that, which would otherwise join a large batch with the digests of
the whole table.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from identities.traits import TraitValue, from_column, to_column

# An environment's id and an identifier.
IdentityKey = tuple[int, str]
# An environment's id and the key of a trait.
EnvironmentTrait = tuple[int, str]


class StoredIdentity(NamedTuple):
    id: int
    identifier: str
    traits: dict[str, TraitValue]


class TraitChanges(NamedTuple):
    """What becomes of one identity's traits; other traits stay as they are."""

    environment_id: int
    identifier: str
    values: Mapping[str, TraitValue] = MappingProxyType({})
    removed: frozenset[str] = frozenset()

    def then(self, later: "TraitChanges") -> "TraitChanges":
        """Return these changes with later ones of the same identity on top."""
        kept = {name: value for name, value in self.values.items() if name not in later.removed}
        return TraitChanges(
            self.environment_id,
            self.identifier,
            {**kept, **later.values},
            (self.removed - later.values.keys()) | later.removed,
        )


class Statement(NamedTuple):
    sql: str
    parameters: dict[str, str]


_FOUND = """
    CROSS JOIN LATERAL (
        SELECT identity.id, identity.traits, identity.last_seen
        FROM identities_identity AS identity
        WHERE identity.environment_id = batch.environment_id
            AND text_digest(identity.identifier) = text_digest(batch.identifier)
        LIMIT 1
    ) AS identity"""

# At one statement any number of writers of one identity may meet. `have` is what stands there already. What
# doesn't change is left out *before* the insert: a condition on the conflict instead would answer nothing at
# all for an identity that another transaction makes meanwhile. Compared as text, since to JSONB 1 and 1.0 are
# equal. In order, so that two batches lock the rows they share in the same order. A new row has today as the
# day on which it was last seen, by the column's default.
_UPSERT = """
WITH batch AS (
    SELECT * FROM json_to_recordset(%(batch)s::json)
        AS batch (environment_id integer, identifier text, patch jsonb, gone jsonb)
), have AS (
    SELECT identity.id, batch.environment_id, batch.identifier, identity.traits,
        {is_current} identity.traits::text = ({merged_now})::text AS is_settled
    FROM batch {found}
), written AS (
    INSERT INTO identities_identity AS known (environment_id, identifier, created_date, traits)
    SELECT batch.environment_id, batch.identifier, clock_timestamp(), batch.patch
    FROM batch LEFT JOIN have USING (environment_id, identifier)
    WHERE have.id IS NULL OR NOT have.is_settled
    ORDER BY batch.environment_id, batch.identifier
    ON CONFLICT (environment_id, text_digest(identifier)) DO UPDATE SET traits = {merged_at_conflict} {seen}
    RETURNING id, environment_id, identifier, traits
)
SELECT id, environment_id, identifier, traits::text FROM written
UNION ALL
SELECT id, environment_id, identifier, traits::text FROM have WHERE is_settled
"""
_ONLY_SETTING = {
    "merged_now": "identity.traits || batch.patch",
    "merged_at_conflict": "known.traits || excluded.traits",
}
# Slower, so used only where something is deleted.
_DELETING = {
    "merged_now": "(identity.traits || batch.patch) - ARRAY(SELECT jsonb_array_elements_text(batch.gone))",
    "merged_at_conflict": """(known.traits || excluded.traits) - ARRAY(
        SELECT jsonb_array_elements_text(batch.gone) FROM batch
        WHERE batch.environment_id = excluded.environment_id AND batch.identifier = excluded.identifier
    )""",
}
# The first time on a day that somebody is seen is a change, and the only one if nothing else changes.
_SEEN = {
    "is_current": "identity.last_seen >= (now() AT TIME ZONE 'UTC')::date AND",
    "seen": ", last_seen = excluded.last_seen",
}
_UNSEEN = {"is_current": "", "seen": ""}
# By whether something is deleted, and whether it was the identities themselves who asked.
_UPSERTS = {
    (deletes, seen): _UPSERT.format(
        found=_FOUND, **(_DELETING if deletes else _ONLY_SETTING), **(_SEEN if seen else _UNSEEN)
    )
    for deletes in (False, True)
    for seen in (False, True)
}

_LOOK_UP = f"""
SELECT identity.id, batch.environment_id, batch.identifier, identity.traits::text
FROM json_to_recordset(%(batch)s::json) AS batch (environment_id integer, identifier text) {_FOUND}
"""  # noqa: S608 - nothing here comes from outside

_ADD_TRAIT_KEYS = """
INSERT INTO identities_traitkey (environment_id, key, created_date)
SELECT batch.environment_id, batch.key, clock_timestamp()
FROM json_to_recordset(%(batch)s::json) AS batch (environment_id integer, key text)
ORDER BY batch.environment_id, batch.key
ON CONFLICT DO NOTHING
"""


def merged(batch: Iterable[TraitChanges]) -> list[TraitChanges]:
    """Return the changes with each identity once: a statement can't touch a row twice."""
    by_identity: dict[IdentityKey, TraitChanges] = {}
    for later in batch:
        key = (later.environment_id, later.identifier)
        earlier = by_identity.get(key)
        by_identity[key] = later if earlier is None else earlier.then(later)
    return list(by_identity.values())


def upsert(batch: Sequence[TraitChanges], *, seen: bool) -> Statement:
    """Make the identities that aren't there yet, and change their traits. `identities_of` reads the rows.

    Args:
        batch: each identity once. Checked text only; the database refuses a batch as a whole.
        seen: whether it is an SDK that asks, so that today is the day on which they were last seen.
    """
    deletes = any(changes.removed for changes in batch)
    items = [
        {
            "environment_id": changes.environment_id,
            "identifier": changes.identifier,
            "patch": to_column(changes.values),
            "gone": sorted(changes.removed),
        }
        for changes in batch
    ]
    return Statement(_UPSERTS[deletes, seen], {"batch": json.dumps(items)})


def look_up(identities: Iterable[IdentityKey]) -> Statement:
    """Find those of the identities that are stored. `identities_of` reads the rows."""
    items = [
        {"environment_id": environment_id, "identifier": identifier}
        for environment_id, identifier in identities
    ]
    return Statement(_LOOK_UP, {"batch": json.dumps(items)})


def changed_identities(batch: Iterable[TraitChanges]) -> list[IdentityKey]:
    """Return whose traits a batch may change; others are only looked up, or made."""
    return [(each.environment_id, each.identifier) for each in batch if each.values or each.removed]


def identities_of(rows: Iterable[tuple[Any, ...]]) -> dict[IdentityKey, StoredIdentity]:
    """Return what is stored, by identity: rows come in no order that means anything."""
    return {
        (environment_id, identifier): StoredIdentity(pk, identifier, from_column(json.loads(traits)))
        for pk, environment_id, identifier, traits in rows
    }


# Trait keys that this process has seen in the table. A key's row lives as long as its environment, so what
# was true once stays true. Started anew when it grows too large.
_seen_trait_keys: set[EnvironmentTrait] = set()
_MOST_SEEN_TRAIT_KEYS = 100_000


def unseen_trait_keys(keys: Iterable[EnvironmentTrait]) -> list[EnvironmentTrait]:
    """Return those of the keys that may have no row yet."""
    return sorted({key for key in keys if key not in _seen_trait_keys})


def trait_keys_of(batch: Iterable[TraitChanges]) -> Iterator[EnvironmentTrait]:
    """Return the keys of all traits that a batch sets."""
    return ((changes.environment_id, key) for changes in batch for key in changes.values)


def add_trait_keys(keys: Iterable[EnvironmentTrait]) -> Statement:
    """Give each trait a row, for the management API's ids and lists. Call `remember_trait_keys` at commit.

    Before the traits and in a statement of its own: within one statement, two writers could each
    wait for a key that the other makes while holding an identity that the other wants.
    """
    items = [{"environment_id": environment_id, "key": key} for environment_id, key in keys]
    return Statement(_ADD_TRAIT_KEYS, {"batch": json.dumps(items)})


def remember_trait_keys(keys: Sequence[EnvironmentTrait]) -> None:
    if len(_seen_trait_keys) + len(keys) > _MOST_SEEN_TRAIT_KEYS:
        _seen_trait_keys.clear()
    _seen_trait_keys.update(keys)

"""Writing identities and their traits.

None of this raises a revision or notifies anyone: what an identity is served depends on its traits,
but the environment document doesn't show them, and there are too many of these writes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Cast

from core.errors import InvalidInput
from environments.models import Environment
from identities.models import Identity, TraitKey
from identities.selectors import StoredIdentity
from identities.traits import LARGEST_INTEGER, SMALLEST_INTEGER, TraitValue, from_column, to_column

# One statement for a whole batch, at which any number of writers of one identity may meet. `have` is what
# stands there already. What doesn't change is left out *before* the insert: a condition on the
# conflict instead would answer nothing at all for an identity that another transaction makes
# meanwhile. Compared as text, since to JSONB 1 and 1.0 are equal. In order, so that two batches
# lock the rows they share in the same order.
_UPSERT = """
WITH batch AS (
    SELECT * FROM unnest(
        %(environments)s::integer[], %(identifiers)s::text[], %(patches)s::jsonb[], %(gone)s::jsonb[]
    ) AS batch (environment_id, identifier, patch, gone)
), have AS (
    SELECT identity.id, batch.environment_id, batch.identifier, identity.traits, {merged_now} AS merged
    FROM batch
    JOIN identities_identity AS identity
        ON identity.environment_id = batch.environment_id
        AND text_digest(identity.identifier) = text_digest(batch.identifier)
), written AS (
    INSERT INTO identities_identity AS known (environment_id, identifier, created_date, traits)
    SELECT batch.environment_id, batch.identifier, clock_timestamp(), batch.patch
    FROM batch LEFT JOIN have USING (environment_id, identifier)
    WHERE have.id IS NULL OR have.traits::text <> have.merged::text
    ORDER BY batch.environment_id, batch.identifier
    ON CONFLICT (environment_id, text_digest(identifier)) DO UPDATE SET traits = {merged_at_conflict}
    RETURNING id, environment_id, identifier, traits
)
SELECT id, environment_id, identifier, traits FROM written
UNION ALL
SELECT id, environment_id, identifier, traits FROM have WHERE traits::text = merged::text
"""
_UPSERT_ONLY_SETTING = _UPSERT.format(
    merged_now="identity.traits || batch.patch", merged_at_conflict="known.traits || excluded.traits"
)
# Slower, so used only where something is deleted.
_UPSERT_DELETING = _UPSERT.format(
    merged_now="(identity.traits || batch.patch) - ARRAY(SELECT jsonb_array_elements_text(batch.gone))",
    merged_at_conflict="""(known.traits || excluded.traits) - ARRAY(
        SELECT jsonb_array_elements_text(batch.gone) FROM batch
        WHERE batch.environment_id = excluded.environment_id AND batch.identifier = excluded.identifier
    )""",
)


@dataclass(frozen=True, slots=True)
class TraitChanges:
    """What becomes of one identity's traits; other traits stay as they are."""

    environment_id: int
    identifier: str
    values: Mapping[str, TraitValue] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()


def store_traits(batch: Sequence[TraitChanges]) -> dict[tuple[int, str], StoredIdentity]:
    """Make the identities that aren't there yet, change their traits, and return them all as they are then.

    Durable when this returns, unless the caller has a transaction open. Where the batch has several
    changes of one identity, later ones win. One query, and one more the first time that a trait is seen.

    Args:
        batch: checked text only; the database refuses a batch as a whole.

    Returns:
        What is stored, by environment id and identifier.
    """
    merged = _merged(batch)
    if not merged:
        return {}
    _ensure_trait_keys((changes.environment_id, key) for changes in merged for key in changes.values)
    deletes = any(changes.removed for changes in merged)
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT_DELETING if deletes else _UPSERT_ONLY_SETTING,
            {
                "environments": [changes.environment_id for changes in merged],
                "identifiers": [changes.identifier for changes in merged],
                "patches": [json.dumps(to_column(changes.values)) for changes in merged],
                "gone": [json.dumps(sorted(changes.removed)) for changes in merged],
            },
        )
        return {
            (environment_id, identifier): StoredIdentity(pk, identifier, from_column(json.loads(traits)))
            for pk, environment_id, identifier, traits in cursor.fetchall()
        }


@transaction.atomic
def increment_trait(environment_id: int, identifier: str, key: str, *, by: int) -> int:
    """Add to an integer trait, which starts at 0, and return the sum. The identity is made if need be.

    Raises:
        NotAnIntegerError: the trait has a value of another type.
        InvalidInput: the sum is beyond 64 bits.
    """
    _ensure_trait_keys([(environment_id, key)])
    store_traits([TraitChanges(environment_id, identifier)])
    identity = (
        Identity.objects.with_identifier(identifier)
        .filter(environment_id=environment_id)
        .select_for_update()
        .get()
    )
    value = from_column(identity.traits).get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotAnIntegerError
    value += by
    if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        raise InvalidInput({"increment_by": ["The trait would be beyond 64 bits."]})
    store_traits([TraitChanges(environment_id, identifier, {key: value})])
    return value


class NotAnIntegerError(Exception):
    """A trait that isn't an integer can't be incremented."""


def _merged(batch: Iterable[TraitChanges]) -> list[TraitChanges]:
    """Return the changes with each identity once: a statement can't touch a row twice."""
    by_identity: dict[tuple[int, str], TraitChanges] = {}
    for later in batch:
        key = (later.environment_id, later.identifier)
        earlier = by_identity.get(key)
        if earlier is not None:
            kept = {name: value for name, value in earlier.values.items() if name not in later.removed}
            later = TraitChanges(
                later.environment_id,
                later.identifier,
                {**kept, **later.values},
                (earlier.removed - later.values.keys()) | later.removed,
            )
        by_identity[key] = later
    return list(by_identity.values())


# Trait keys that this process has seen in the table. A key's row lives as long as its environment, so what
# was true once stays true. Started anew when it grows too large.
_seen_trait_keys: set[tuple[int, str]] = set()
_MOST_SEEN_TRAIT_KEYS = 100_000


def _ensure_trait_keys(keys: Iterable[tuple[int, str]]) -> None:
    """Give each trait a row, for the management API's ids and lists.

    Before the traits and in a statement of its own: within one statement, two writers could each
    wait for a key that the other makes while holding an identity that the other wants.
    """
    unseen = sorted({key for key in keys if key not in _seen_trait_keys})
    if not unseen:
        return
    TraitKey.objects.bulk_create(
        (TraitKey(environment_id=environment_id, key=key) for environment_id, key in unseen),
        ignore_conflicts=True,
    )
    transaction.on_commit(lambda: _remember_trait_keys(unseen))


def _remember_trait_keys(keys: list[tuple[int, str]]) -> None:
    if len(_seen_trait_keys) + len(keys) > _MOST_SEEN_TRAIT_KEYS:
        _seen_trait_keys.clear()
    _seen_trait_keys.update(keys)


@transaction.atomic
def create_identity(environment: Environment, *, identifier: str) -> Identity:
    """Make an identity without traits.

    Raises:
        InvalidInput: the environment has one with this identifier.
    """
    _check_identifier_is_free(environment.pk, identifier)
    return Identity.objects.create(environment=environment, identifier=identifier)


@transaction.atomic
def rename_identity(identity: Identity, *, identifier: str | None = None) -> Identity:
    """Give an identity another identifier, if one is given.

    It keeps its traits and overrides, and may get other variants.

    Raises:
        InvalidInput: the environment has another one with this identifier.
    """
    if identifier is not None and identifier != identity.identifier:
        _check_identifier_is_free(identity.environment_id, identifier)
        identity.identifier = identifier
        identity.save(update_fields=["identifier"])
    return identity


@transaction.atomic
def replace_traits(identity: Identity, values: Mapping[str, TraitValue]) -> None:
    """Make `values` all the traits of an identity."""
    locked = Identity.objects.select_for_update().get(pk=identity.pk)
    removed = frozenset(locked.traits.keys() - values.keys())
    store_traits([TraitChanges(locked.environment_id, locked.identifier, values, removed)])
    identity.refresh_from_db(fields=["traits"])


def remove_trait_everywhere(environment: Environment, key: str) -> None:
    """Take a trait away from every identity of an environment."""
    having = Identity.objects.filter(environment=environment, traits__has_key=key)
    key_as_text = Cast(Value(key), output_field=TextField())
    having.update(traits=Func(F("traits"), key_as_text, template="(%(expressions)s)", arg_joiner=" - "))


def _check_identifier_is_free(environment_id: int, identifier: str) -> None:
    namesakes = Identity.objects.filter(environment_id=environment_id).with_identifier(identifier)
    if namesakes.exists():
        reason = f"Identity with identifier '{identifier}' already exists in this environment"
        raise InvalidInput({"identifier": [reason]})

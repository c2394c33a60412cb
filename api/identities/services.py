"""Writing identities and their traits.

None of this raises a revision or notifies anyone: what an identity is served depends on its traits,
but the environment document doesn't show them, and there are too many of these writes.
"""

from collections.abc import Iterable, Mapping, Sequence

from django.db import connection, transaction
from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Cast

from core.errors import InvalidInput
from environments.models import Environment
from identities.batches import (
    EnvironmentTrait,
    IdentityKey,
    StoredIdentity,
    TraitChanges,
    add_trait_keys,
    changed_identities,
    identities_of,
    merged,
    remember_trait_keys,
    trait_keys_of,
    unseen_trait_keys,
    upsert,
)
from identities.models import Identity
from identities.traits import LARGEST_INTEGER, SMALLEST_INTEGER, TraitValue, from_column
from identities.writes import noted_writes


def store_traits(batch: Sequence[TraitChanges], *, seen: bool = False) -> dict[IdentityKey, StoredIdentity]:
    """Make the identities that aren't there yet, change their traits, and return them all as they are then.

    Durable when this returns, unless the caller has a transaction open. Where the batch has several
    changes of one identity, later ones win. One query, and one more the first time that a trait is seen.

    Args:
        batch: checked text only; the database refuses a batch as a whole.
        seen: whether it is an SDK that asks, so that today is the day on which they were last seen.

    Returns:
        What is stored, by environment id and identifier.
    """
    changes = merged(batch)
    if not changes:
        return {}
    _ensure_trait_keys(trait_keys_of(changes))
    with connection.cursor() as cursor:
        cursor.execute(*upsert(changes, seen=seen))
        stored = identities_of(cursor.fetchall())
    noted_writes.note_at_commit(changed_identities(changes))
    return stored


@transaction.atomic
def increment_trait(environment_id: int, identifier: str, key: str, *, by: int) -> int:
    """Add to an integer trait, which starts at 0, and return the sum, as an SDK asks for it.

    The identity is made if need be.

    Raises:
        NotAnIntegerError: the trait has a value of another type.
        InvalidInput: the sum is beyond 64 bits.
    """
    _ensure_trait_keys([(environment_id, key)])
    store_traits([TraitChanges(environment_id, identifier)], seen=True)
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


def _ensure_trait_keys(keys: Iterable[EnvironmentTrait]) -> None:
    unseen = unseen_trait_keys(keys)
    if not unseen:
        return
    with connection.cursor() as cursor:
        cursor.execute(*add_trait_keys(unseen))
    transaction.on_commit(lambda: remember_trait_keys(unseen))


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
        noted_writes.note_all_at_commit()
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
    noted_writes.note_all_at_commit()


def _check_identifier_is_free(environment_id: int, identifier: str) -> None:
    namesakes = Identity.objects.filter(environment_id=environment_id).with_identifier(identifier)
    if namesakes.exists():
        reason = f"Identity with identifier '{identifier}' already exists in this environment"
        raise InvalidInput({"identifier": [reason]})

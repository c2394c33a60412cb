"""Reading identities with their traits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import BooleanField, Count, Exists, F, Func, OuterRef, Sum

from environments.models import Environment
from identities.batches import StoredIdentity, identities_of, look_up
from identities.models import Identity, IdentityCountChange, TraitKey
from identities.traits import TraitValue, from_column

# More lines than this are folded into one by whoever next wants their sum.
_MOST_COUNT_CHANGES = 1000


def number_of_identities(environment: Environment) -> int:
    """Return how many identities an environment has, without counting a million rows.

    Two queries at most: what has come and gone since the last time is folded.
    """
    changes = IdentityCountChange.objects.filter(environment_id=environment.pk)
    found = changes.aggregate(number=Sum("change"), lines=Count("pk"))
    if found["lines"] > _MOST_COUNT_CHANGES:
        with connection.cursor() as cursor:
            cursor.execute(_FOLD_COUNT, [environment.pk])
    return found["number"] or 0


# In one statement, so that everybody sees either the lines or their sum. Of two at once, the second finds
# nothing left to fold.
_FOLD_COUNT = """
WITH folded AS (
    DELETE FROM identities_identitycountchange WHERE environment_id = %s RETURNING environment_id, change
)
INSERT INTO identities_identitycountchange (environment_id, change)
SELECT environment_id, sum(change) FROM folded GROUP BY environment_id
"""


def stored_identities(environment_id: int, identifiers: Collection[str]) -> dict[str, StoredIdentity]:
    """Return those of the identities that are stored, by identifier. One query; none for none."""
    if not identifiers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(*look_up((environment_id, identifier) for identifier in identifiers))
        return {identity.identifier: identity for identity in identities_of(cursor.fetchall()).values()}


@dataclass(frozen=True, slots=True)
class Trait:
    """One trait of one identity. `id` is its key's, the same for all identities of an environment."""

    id: int
    key: str
    value: TraitValue
    created_date: datetime


def traits_of(identity: Identity) -> list[Trait]:
    """Return an identity's traits by key, in one query."""
    values = from_column(identity.traits)
    keys = TraitKey.objects.filter(environment=identity.environment_id, key__in=values)
    return [Trait(key.pk, key.key, values[key.key], key.created_date) for key in keys]


def trait_keys_in_use(environment: Environment) -> list[str]:
    """Return the keys of traits that some identity of an environment has.

    Looks for one identity for each key: a key that none has costs a walk over them all.
    """
    has_it = Func(F("traits"), OuterRef("key"), function="jsonb_exists", output_field=BooleanField())
    having = Identity.objects.alias(has_it=has_it).filter(environment=OuterRef("environment"), has_it=True)
    keys = TraitKey.objects.filter(Exists(having), environment=environment)
    return list(keys.values_list("key", flat=True))

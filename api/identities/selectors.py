"""Reading identities with their traits."""

from collections.abc import Collection
from dataclasses import dataclass

from identities.models import Identity
from identities.traits import TraitValue, from_column


@dataclass(frozen=True, slots=True)
class StoredIdentity:
    id: int
    identifier: str
    traits: dict[str, TraitValue]


def stored_identities(environment_id: int, identifiers: Collection[str]) -> dict[str, StoredIdentity]:
    """Return those of the identities that are stored, by identifier. One query; none for none."""
    if not identifiers:
        return {}
    rows = Identity.objects.filter(environment_id=environment_id).with_identifiers(identifiers)
    return {
        identifier: StoredIdentity(pk, identifier, from_column(traits))
        for pk, identifier, traits in rows.values_list("id", "identifier", "traits")
    }

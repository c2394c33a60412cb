"""Whom flags are evaluated for: what a request says of an identity, joined with what is stored of it.

Who is stored and which traits with them is the table "What is evaluated and what is stored" of the
Flagsmith SDK contract.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from identities.batches import StoredIdentity, TraitChanges
from identities.selectors import stored_identities
from identities.services import store_traits
from identities.traits import TraitValue
from sdk.inputs import GivenIdentity, GivenTrait


class KnownTrait(NamedTuple):
    """A trait that counts in this request. SDKs send `transient` back, so it has to be true."""

    value: TraitValue
    transient: bool = False


class KnownIdentity(NamedTuple):
    identifier: str
    traits: Mapping[str, KnownTrait]


@dataclass(frozen=True, slots=True)
class TraitPolicy:
    """Whether the request's traits count at all, and whether they may be stored."""

    accepts_traits: bool
    stores_traits: bool


def know(environment_id: int, given: Sequence[GivenIdentity], policy: TraitPolicy) -> list[KnownIdentity]:
    """Store what is to be stored, and return the identities with all their traits, in the order given.

    At most two queries, however many identities: one for those that are stored, one for transient ones.
    """
    asked = given if policy.accepts_traits else [_without_traits(each) for each in given]
    named = [each for each in asked if each.identifier]
    stored = _store(environment_id, [each for each in named if not each.transient], policy)
    read = stored_identities(environment_id, {each.identifier for each in named if each.transient})
    return [
        _known(each, (read if each.transient else stored).get(each.identifier))
        if each.identifier
        else _anonymous(each)
        for each in asked
    ]


def anonymous_identifier(traits: Mapping[str, GivenTrait]) -> str:
    """Return the identifier of nobody in particular: always the same for the same traits, random without.

    The SHA-256, in hex, of all keys and values in the order of the keys. The same traits thus draw the
    same variants.
    """
    if not traits:
        return uuid.uuid4().hex
    text = "".join(
        [f"{key}{trait.value}" for key, trait in sorted(traits.items()) if trait.value is not None]
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _store(
    environment_id: int, given: Sequence[GivenIdentity], policy: TraitPolicy
) -> dict[str, StoredIdentity]:
    changes = [
        _changes(environment_id, each)
        if policy.stores_traits
        else TraitChanges(environment_id, each.identifier)
        for each in given
    ]
    return {identity.identifier: identity for identity in store_traits(changes).values()}


def _changes(environment_id: int, given: GivenIdentity) -> TraitChanges:
    lasting = {key: trait.value for key, trait in given.traits.items() if not trait.transient}
    return TraitChanges(
        environment_id,
        given.identifier,
        {key: value for key, value in lasting.items() if value is not None},
        frozenset(key for key, value in lasting.items() if value is None),
    )


def _known(given: GivenIdentity, stored: StoredIdentity | None) -> KnownIdentity:
    """Lay the request's traits over the stored ones; a null one hides what it lies over."""
    traits = {key: KnownTrait(value) for key, value in stored.traits.items()} if stored else {}
    for key, (value, transient) in given.traits.items():
        if value is None:
            traits.pop(key, None)
        else:
            traits[key] = KnownTrait(value, transient or given.transient)
    return KnownIdentity(given.identifier, traits)


def _anonymous(given: GivenIdentity) -> KnownIdentity:
    traits = {
        key: KnownTrait(trait.value, transient=True)
        for key, trait in given.traits.items()
        if trait.value is not None
    }
    return KnownIdentity(anonymous_identifier(given.traits), traits)


def _without_traits(given: GivenIdentity) -> GivenIdentity:
    return GivenIdentity(given.identifier, given.transient)

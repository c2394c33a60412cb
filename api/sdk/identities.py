"""Whom flags are evaluated for: what a request says of an identity, joined with what is stored of it.

Who is stored and which traits with them is the table "What is evaluated and what is stored" of the
Flagsmith SDK contract.
"""

import hashlib
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import DataError, IntegrityError
from rest_framework.exceptions import ValidationError

from identities.batches import IdentityKey, StoredIdentity, TraitChanges
from identities.kept_traits import kept_traits
from identities.selectors import stored_identities
from identities.services import store_traits
from identities.traits import TraitValue
from sdk.inputs import GivenIdentity, GivenTrait, GivenTraitOf

# Not expected: what an SDK sends has been checked for all that the database is known to refuse.
UNSTORABLE = "The database can't store these traits."


class KnownTrait(NamedTuple):
    """A trait that counts in this request. SDKs send `transient` back, so it has to be true."""

    value: TraitValue
    transient: bool = False


class KnownIdentity(NamedTuple):
    identifier: str
    traits: Mapping[str, KnownTrait]


class TraitPolicy(NamedTuple):
    """Whether the request's traits count at all, and whether they may be stored."""

    accepts_traits: bool
    stores_traits: bool


class Knowledge(NamedTuple):
    """Whom a request is about.

    Attributes:
        known: the identities with all their traits, in the order given.
        is_persisted: whether everything that should be stored is.
        away_seconds: for how long the database has been away that should have said what is stored; None: it
            has said.
    """

    known: list[KnownIdentity]
    is_persisted: bool = True
    away_seconds: int | None = None


class EnvironmentGone(Exception):
    """The environment was deleted since its key was looked up: nothing can be stored in it."""


def know_directly(
    environment_id: int, given: Sequence[GivenIdentity], policy: TraitPolicy, *, kept_as: str | None = None
) -> Knowledge:
    """Store what is to be stored, and return the identities with all their traits.

    At most two queries, however many identities: one for those that are stored, one for transient ones.

    Args:
        kept_as: the environment's client key, where one identity may be as a cache has it, if that is on.

    Raises:
        EnvironmentGone: answer that the key is unknown.
    """
    if kept_as is not None and kept_traits.is_on:
        return _know_as_kept(environment_id, kept_as, given[0], policy)
    asked = [accepted(each, policy) for each in given]
    named = [each for each in asked if each.identifier]
    stored = store_directly(
        [changes_of(environment_id, each, policy) for each in named if not each.transient]
    )
    read = stored_identities(environment_id, {each.identifier for each in named if each.transient})
    return Knowledge(
        [
            known(
                each,
                read.get(each.identifier)
                if each.transient
                else stored.get((environment_id, each.identifier)),
            )
            if each.identifier
            else anonymous(each)
            for each in asked
        ]
    )


def is_worth_keeping(given: GivenIdentity, knowledge: Knowledge) -> bool:
    """Whether a cache may say of an identity that said nothing of itself what is known of it now."""
    is_certain = knowledge.is_persisted and knowledge.away_seconds is None
    return is_certain and not given.transient  # who may not be stored at all


def stored_traits(known: KnownIdentity) -> dict[str, TraitValue]:
    return {key: trait.value for key, trait in known.traits.items()}


def _know_as_kept(
    environment_id: int, client_key: str, given: GivenIdentity, policy: TraitPolicy
) -> Knowledge:
    key = environment_id, given.identifier
    stored = kept_traits.find(key, client_key)
    if stored is not None:
        return Knowledge([known(given, stored)])
    read_at = time.monotonic()
    knowledge = know_directly(environment_id, [given], policy)
    if is_worth_keeping(given, knowledge):
        kept_traits.keep(key, client_key, stored_traits(knowledge.known[0]), read_at=read_at)
    return knowledge


def store_directly(batch: Sequence[TraitChanges]) -> dict[IdentityKey, StoredIdentity]:
    """Store changes, as `store_traits` does.

    Raises:
        EnvironmentGone: answer that the key is unknown.
        ValidationError: the database can't hold what is to be stored.
    """
    try:
        return store_traits(batch, seen=True)
    except IntegrityError as error:
        raise EnvironmentGone from error
    except DataError as error:
        raise ValidationError({"detail": UNSTORABLE}) from error


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


def accepted(given: GivenIdentity, policy: TraitPolicy) -> GivenIdentity:
    """Return what counts of what a request says of an identity."""
    return given if policy.accepts_traits else GivenIdentity(given.identifier, given.transient)


def changes_of(environment_id: int, given: GivenIdentity, policy: TraitPolicy) -> TraitChanges:
    """Return what is to be stored of an accepted identity that isn't transient."""
    if not given.traits or not policy.stores_traits:
        return TraitChanges(environment_id, given.identifier)
    values, removed = {}, []
    for key, (value, transient) in given.traits.items():
        if transient:
            continue
        if value is None:
            removed.append(key)
        else:
            values[key] = value
    return TraitChanges(environment_id, given.identifier, values, frozenset(removed))


def changes_of_trait(environment_id: int, given: GivenTraitOf) -> TraitChanges:
    """Return what is to be stored where one trait is set; a value of None deletes it."""
    if given.value is None:
        return TraitChanges(environment_id, given.identifier, removed=frozenset([given.key]))
    return TraitChanges(environment_id, given.identifier, {given.key: given.value})


def known(given: GivenIdentity, stored: StoredIdentity | None) -> KnownIdentity:
    """Lay the request's traits over the stored ones; a null one hides what it lies over."""
    traits = {key: KnownTrait(value) for key, value in stored.traits.items()} if stored else {}
    for key, (value, transient) in given.traits.items():
        if value is None:
            traits.pop(key, None)
        else:
            traits[key] = KnownTrait(value, transient or given.transient)
    return KnownIdentity(given.identifier, traits)


def anonymous(given: GivenIdentity) -> KnownIdentity:
    """Return nobody in particular with the request's traits."""
    traits = {
        key: KnownTrait(trait.value, transient=True)
        for key, trait in given.traits.items()
        if trait.value is not None
    }
    return KnownIdentity(anonymous_identifier(given.traits), traits)

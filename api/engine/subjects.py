"""Who is evaluated, and what conditions read of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from engine.documents import Value
from engine.hashing import hashable
from engine.values import ContextValue, normalise


class Identity(NamedTuple):
    """Someone or something that flags are evaluated for.

    `key` is what is hashed: `{environment key}_{identifier}` when it is not given.
    """

    identifier: str
    traits: Mapping[str, object] = MappingProxyType({})
    key: str | None = None


class Subject:
    """One identity during one evaluation, or the absence of one.

    Attributes:
        values: the traits as conditions compare them, by key; None for one that is not set.
        hashable_key: the key as variants are drawn by it.
    """

    __slots__ = ("hashable_key", "identifier", "key", "read_flag", "traits", "values")

    # Gives a part of a flag by the feature's name. Set where conditions read flags: see `dependencies`.
    read_flag: Callable[[str, str], Value]

    def __init__(self, identifier: str | None, key: str | None, traits: Mapping[str, object]) -> None:
        self.identifier = identifier
        self.key = key
        self.hashable_key = None if key is None else hashable(key)
        self.traits = traits
        self.values = _Values(traits)


class _Values(dict[str, ContextValue]):
    """Traits, normalised when first read."""

    __slots__ = ("_traits",)

    def __init__(self, traits: Mapping[str, object]) -> None:
        self._traits = traits

    def __missing__(self, trait_key: str) -> ContextValue:
        value = self[trait_key] = normalise(self._traits.get(trait_key))
        return value

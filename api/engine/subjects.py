"""Who is evaluated, and what conditions read of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.documents import Value
from engine.values import ContextValue, normalise


@dataclass(frozen=True, slots=True)
class Identity:
    """Someone or something that flags are evaluated for.

    `key` is what is hashed: `{environment key}_{identifier}` when it is not given.
    """

    identifier: str
    traits: Mapping[str, object] = field(default_factory=dict)
    key: str | None = None


class Subject:
    """One identity during one evaluation, or the absence of one. Traits are normalised when first read."""

    __slots__ = ("_normalised", "identifier", "key", "read_flag", "traits")

    # Gives a part of a flag by the feature's name. Set where conditions read flags: see `dependencies`.
    read_flag: Callable[[str, str], Value]

    def __init__(self, identifier: str | None, key: str | None, traits: Mapping[str, object]) -> None:
        self.identifier = identifier
        self.key = key
        self.traits = traits
        self._normalised: dict[str, ContextValue] = {}

    def trait(self, trait_key: str) -> ContextValue:
        """Return a trait as conditions compare it; None where it is not set."""
        try:
            return self._normalised[trait_key]
        except KeyError:
            value = self._normalised[trait_key] = normalise(self.traits.get(trait_key))
            return value

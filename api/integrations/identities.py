"""What other services are told of an identity whose flags were read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An identity, and what it is served.

    Attributes:
        properties: by feature name the value, or whether it is on where it is off or has none.
        traits: `[{"id": None, "trait_key", "trait_value", "transient"}]`.
        flags: as `identities/` answers them, with `percentage_allocation` where a variant was drawn.
        segments: `[{"id", "name", "member"}]`, all that there are.
    """

    identifier: str
    properties: Mapping[str, Any]
    traits: list[dict[str, Any]]
    flags: list[dict[str, Any]]
    segments: list[dict[str, Any]]


def property_of(enabled: bool, value: Any) -> Any:
    """Return what a flag is to a service that knows properties: its value, or whether it is on."""
    return value if enabled and value not in (None, "") else enabled

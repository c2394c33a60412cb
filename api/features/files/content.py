"""What a file says of a feature."""

from dataclasses import dataclass

from features.models.values import FlagValue


@dataclass(frozen=True, kw_only=True)
class PortableVariant:
    """A variant, with its share at first and its share in one environment, both in percent."""

    value: FlagValue
    key: str | None = None
    default_percentage_allocation: float
    percentage_allocation: float


@dataclass(frozen=True, kw_only=True)
class PortableFeature:
    """A feature as it is in one environment. The order of the variants is that of their bands."""

    name: str
    type: str
    default_enabled: bool
    initial_value: str | None
    is_server_key_only: bool
    enabled: bool
    value: FlagValue
    variants: tuple[PortableVariant, ...] = ()
    description: str | None = None
    is_archived: bool = False

"""Flags: what evaluating gives for a feature, and the choice of a variant.

All that a feature state can evaluate to is known when it is compiled, so its flags are made then;
evaluating only chooses among them. A flag is the same object each time it is chosen, so a caller
may keep what it makes of a flag (its bytes on the wire, say) by the flag itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.documents import FeatureContext, FlagResult, SegmentContext, Value, VariantContext
from engine.hashing import Seed

CONTROL = "control"
REASON_DEFAULT = "DEFAULT"
REASON_STATIC = "STATIC"
REASON_CIRCULAR = "ERROR; code=CIRCULAR_DEPENDENCY"


@dataclass(frozen=True, slots=True, eq=False)
class Flag:
    """A feature with its state resolved, as an SDK reads it. Compared and hashed by identity.

    Attributes:
        feature: the winning feature state: the environment's default or an override.
        segment: the segment whose override won; None for a default and for an identity's override.
    """

    name: str
    enabled: bool
    value: Value
    reason: str
    variant: str | None
    feature: FeatureContext
    segment: SegmentContext | None = None

    def to_result(self) -> FlagResult:
        """Return the plain form; metadata is that of the winning state, where it has any."""
        result: FlagResult = {
            "name": self.name,
            "enabled": self.enabled,
            "value": self.value,
            "reason": self.reason,
            "variant": self.variant,
        }
        metadata = self.feature.get("metadata")
        if metadata:
            result["metadata"] = metadata
        return result


class FeatureState:
    """A compiled feature state: its flags, and the bands of its variants over [0, 100).

    Bands lie end to end in priority order and are half-open, so changing one weight moves only
    identities in that band and the bands after it. What no band covers keeps the state's own value.
    """

    __slots__ = ("_bands", "_control", "_seed", "plain", "priority")

    def __init__(self, feature: FeatureContext, reason: str, segment: SegmentContext | None = None) -> None:
        variants = feature.get("variants") or ()
        self.priority = _order(feature.get("priority"))
        self.plain = _flag(feature, reason, segment)
        self._seed = Seed(str(feature["key"])) if variants else None
        self._control = _flag(feature, reason, segment, variant=CONTROL) if variants else self.plain
        self._bands = tuple(_bands(feature, variants, segment))

    def flag_for(self, key: bytes | None) -> Flag:
        """Return the flag for an identity, by its `hashable` key; without one, variants don't count."""
        if self._seed is None or key is None:
            return self.plain
        position = self._seed.percentage(key)
        for end, flag in self._bands:
            if position < end:
                return flag
        return self._control

    @property
    def has_variants(self) -> bool:
        return bool(self._bands)


def _bands(
    feature: FeatureContext, variants: Sequence[VariantContext], segment: SegmentContext | None
) -> Iterator[tuple[float, Flag]]:
    """Give the end of each band, which is where the next one starts, and its flag."""
    end = 0.0
    for variant in sorted(variants, key=lambda variant: _order(variant.get("priority"))):
        weight = variant["weight"]
        end += _width(weight)
        yield (
            end,
            Flag(
                name=feature["name"],
                enabled=feature["enabled"],
                value=variant["value"],
                reason=f"SPLIT; weight={weight}",
                variant=variant.get("key"),
                feature=feature,
                segment=segment,
            ),
        )


def _flag(
    feature: FeatureContext, reason: str, segment: SegmentContext | None, *, variant: str | None = None
) -> Flag:
    return Flag(
        name=feature["name"],
        enabled=feature["enabled"],
        value=feature["value"],
        reason=reason,
        variant=variant,
        feature=feature,
        segment=segment,
    )


def _order(priority: object) -> float:
    """Return a number to sort by: what has no priority, or none that sorts, comes last."""
    if isinstance(priority, int | float) and priority == priority:
        return priority
    return float("inf")


def _width(weight: float) -> float:
    try:
        return float(weight)
    except (TypeError, ValueError, OverflowError):
        return 0.0

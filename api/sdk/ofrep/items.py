"""What a flag is in OFREP: `{"key": "colour", "value": "green", "reason": "SPLIT", "variant": "a", …}`.

The protocol has one value and no switch beside it, where a flag has both. A flag that is on gives its value,
or true if it has none; one that is off gives none, so that the code's default counts, or false if
there is none to hide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.parsers import parse_json
from documents.prerequisites import unmet_prerequisite
from engine.documents import Value
from engine.flags import CONTROL, REASON_CIRCULAR, Flag
from sdk.contents import encode
from sdk.flag_items import ServedFeature
from sdk.ofrep.errors import ErrorCode, failure

CIRCULAR = "The flag depends on itself."


class Reason(StrEnum):
    """Why a flag has its value. Providers know some more, and break on others."""

    STATIC = "STATIC"
    TARGETING_MATCH = "TARGETING_MATCH"
    SPLIT = "SPLIT"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True)
class OfrepItems:
    """Writes the flags of one environment.

    Attributes:
        features: by name.
        native_json: whether a text that is a JSON object or a float is answered as that.
    """

    features: Mapping[str, ServedFeature]
    native_json: bool

    def of(self, flag: Flag) -> bytes:
        """Return a flag's item, in JSON."""
        if is_circular(flag):
            return encode(failure(ErrorCode.GENERAL, CIRCULAR, flag.name))
        feature = self.features[flag.name]
        metadata: dict[str, Value] = {"enabled": flag.enabled, "featureId": feature.id}
        if unmet := unmet_prerequisite(flag.segment):
            metadata["unmetPrerequisite"] = unmet
        has_value = flag.value is not None and flag.value != ""
        if not flag.enabled:
            reason, variant, value = Reason.DISABLED, "disabled", None if has_value else b"false"
        else:
            reason = _reason(flag)
            variant = _variant(flag, feature) if has_value else "enabled"
            value = self._value(flag.value) if has_value else b"true"
        rest = encode({"reason": reason, "variant": variant, "metadata": metadata})[1:]
        return b'{"key":%b,%b%b' % (encode(flag.name), b"" if value is None else b'"value":%b,' % value, rest)

    def _value(self, value: Value) -> bytes:
        native = _native(value) if self.native_json and isinstance(value, str) else None
        return native or encode(value)


def is_circular(flag: Flag) -> bool:
    """Whether a flag couldn't be evaluated, because it depends on itself."""
    return flag.reason == REASON_CIRCULAR


def _reason(flag: Flag) -> Reason:
    engines = flag.reason.partition(";")[0]  # what follows names a weight or a segment
    return Reason(engines) if engines in (Reason.TARGETING_MATCH, Reason.SPLIT) else Reason.STATIC


def _variant(flag: Flag, feature: ServedFeature) -> str:
    """Return the key of the variant that was drawn; providers break where there is none."""
    if not feature.is_multivariate:
        return "default"
    return flag.variant or "default" if _reason(flag) is Reason.SPLIT else CONTROL


def _native(text: str) -> bytes | None:
    """Return a text that is a JSON object or a float, to be answered as it is; None for others."""
    try:
        value = parse_json(text.encode())
    except ValueError:
        return None
    return text.strip().encode() if isinstance(value, dict | float) else None

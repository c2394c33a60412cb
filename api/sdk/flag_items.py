"""One flag as SDKs are answered it, in JSON: `{"id": 311, "feature": {...}, "enabled": true, ...}`."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.flags import CONTROL, Flag
from features.models import FeatureType
from sdk.contents import encode
from sdk.feature_items import FeatureItem

_SPLIT = "SPLIT"


@dataclass(frozen=True, slots=True)
class ServedFeature:
    """A feature in memory: `item` is what answers show of it, in JSON, which takes a third of the room."""

    id: int
    is_multivariate: bool
    item: bytes

    @classmethod
    def of(cls, item: FeatureItem) -> "ServedFeature":
        return cls(item["id"], item["type"] == FeatureType.MULTIVARIATE, encode(item))


@dataclass(frozen=True, slots=True)
class FlagItems:
    """Writes the flags of one environment.

    Attributes:
        features: by name.
    """

    environment_id: int
    features: Mapping[str, ServedFeature]
    hides_sensitive_data: bool

    def in_environment(self, flag: Flag) -> bytes:
        """Return a flag as `flags/` answers it."""
        return b"{%b}" % self._fields(flag)

    def of_identity(self, flag: Flag) -> bytes:
        """Return a flag as `identities/` answers it: with the variant that was drawn."""
        variant = variant_on_the_wire(flag, self.features[flag.name])
        return b'{%b,"variant":%b}' % (self._fields(flag), encode(variant))

    def _fields(self, flag: Flag) -> bytes:
        # The metadata of the winning state says which rows the flag comes from.
        origin = flag.feature["metadata"] or {}
        state_id, identity_id, environment_id = (
            (None, None, None)
            if self.hides_sensitive_data
            else (origin["feature_state_id"], origin["identity_id"], self.environment_id)
        )
        # `feature_segment` is null, always: SDKs disagree on its type.
        return (
            b'"id":%b,"feature":%b,"feature_state_value":%b,"environment":%b,"identity":%b,'
            b'"feature_segment":null,"enabled":%b'
        ) % (
            encode(state_id),
            self.features[flag.name].item,
            encode(flag.value),
            encode(environment_id),
            encode(identity_id),
            encode(flag.enabled),
        )


def variant_on_the_wire(flag: Flag, feature: ServedFeature) -> str | None:
    """Return the key of the variant that was drawn; where none was, `control` if the feature has variants.

    By the feature's type, also where the winning state has no weights: the engine then says null.
    """
    if not feature.is_multivariate:
        return None
    return flag.variant if flag.reason.startswith(_SPLIT) else CONTROL

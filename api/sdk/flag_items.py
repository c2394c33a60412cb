"""One flag as SDKs are answered it: `{"id": 311, "feature": {...}, "feature_state_value": "blue", ...}`."""

from typing import TypedDict

from engine.documents import Value
from engine.flags import CONTROL, Flag
from features.models import Feature, FeatureType

_SPLIT = "SPLIT"


class FeatureItem(TypedDict):
    """A feature in an answer. An environment that hides sensitive data shows id, name and type of it."""

    id: int
    name: str
    created_date: str | None
    description: str | None
    initial_value: str | None
    default_enabled: bool | None
    type: str


class FlagItem(TypedDict):
    """What `flags/` answers for one feature. `feature_segment` is null, always: SDKs disagree on its type."""

    id: int | None
    feature: FeatureItem
    feature_state_value: Value
    environment: int | None
    identity: int | None
    feature_segment: None
    enabled: bool


class IdentityFlagItem(FlagItem):
    """What `identities/` answers for one feature."""

    variant: str | None


def feature_item(feature: Feature, *, hides_sensitive_data: bool) -> FeatureItem:
    shown = not hides_sensitive_data
    return {
        "id": feature.pk,
        "name": feature.name,
        "created_date": feature.created_date.isoformat().replace("+00:00", "Z") if shown else None,
        "description": feature.description if shown else None,
        "initial_value": feature.initial_value if shown else None,
        "default_enabled": feature.default_enabled if shown else None,
        "type": feature.type,
    }


def flag_item(
    flag: Flag, feature: FeatureItem, *, environment_id: int, hides_sensitive_data: bool
) -> FlagItem:
    """Return a flag's item; the metadata of the winning state says which rows it comes from."""
    origin = flag.feature["metadata"] or {}
    shown = not hides_sensitive_data
    return {
        "id": origin["feature_state_id"] if shown else None,
        "feature": feature,
        "feature_state_value": flag.value,
        "environment": environment_id if shown else None,
        "identity": origin["identity_id"] if shown else None,
        "feature_segment": None,
        "enabled": flag.enabled,
    }


def variant_on_the_wire(flag: Flag, feature: FeatureItem) -> str | None:
    """Return the key of the variant that was drawn; where none was, `control` if the feature has variants.

    By the feature's type, also where the winning state has no weights: the engine then says null.
    """
    if feature["type"] != FeatureType.MULTIVARIATE:
        return None
    return flag.variant if flag.reason.startswith(_SPLIT) else CONTROL

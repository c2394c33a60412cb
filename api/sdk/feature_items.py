"""A feature as SDKs are answered it, within each of its flags."""

from typing import TypedDict

from features.models import Feature


class FeatureItem(TypedDict):
    """A feature in an answer. An environment that hides sensitive data shows id, name and type of it."""

    id: int
    name: str
    created_date: str | None
    description: str | None
    initial_value: str | None
    default_enabled: bool | None
    type: str


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

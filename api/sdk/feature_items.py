"""A feature as SDKs are answered it, within each of its flags."""

from datetime import datetime
from typing import TypedDict

from documents.rows import FeatureRow


class FeatureItem(TypedDict):
    """A feature in an answer. An environment that hides sensitive data shows id, name and type of it."""

    id: int
    name: str
    created_date: str | None
    description: str | None
    initial_value: str | None
    default_enabled: bool | None
    type: str


def feature_item(feature: FeatureRow, *, hides_sensitive_data: bool) -> FeatureItem:
    shown = not hides_sensitive_data
    return {
        "id": feature["id"],
        "name": feature["name"],
        "created_date": _instant(feature["created_date"]) if shown else None,
        "description": feature["description"] if shown else None,
        "initial_value": feature["initial_value"] if shown else None,
        "default_enabled": feature["default_enabled"] if shown else None,
        "type": feature["type"],
    }


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).isoformat().replace("+00:00", "Z")

"""Flags changed in a single call, whichever way their environment keeps versions.

A value is a type and a text: `{"type": "integer", "value": "42"}`.
"""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from core.fields import INT32_MAX, ChoiceField, IdField
from features.models.values import FlagValue
from features.serializers.feature_states import AllocationSerializer
from features.serializers.values import within_limit

_BOOLEANS = {"true": True, "false": False}


class TextValueSerializer(serializers.Serializer):
    """A value by its type and its text."""

    type = ChoiceField(choices=["string", "integer", "boolean"])
    value = serializers.CharField(trim_whitespace=False, allow_blank=True)

    def validate(self, attrs: dict[str, str]) -> dict[str, FlagValue]:
        return {"value": _READERS[attrs["type"]](attrs["value"])}


class NamedFeatureSerializer(serializers.Serializer):
    """A feature by its name or by its id."""

    name = serializers.CharField(required=False, max_length=2000)
    id = IdField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Either 'name' or 'id' is required for feature identification")
        if len(attrs) > 1:
            raise serializers.ValidationError("Provide either 'name' or 'id', not both")
        return attrs


class PlacedSegmentSerializer(serializers.Serializer):
    """A segment, and where its override is to stand: last, or where it stands, without a priority."""

    id = IdField()
    priority = serializers.IntegerField(min_value=0, max_value=1_000_000_000, required=False, allow_null=True)


class FlagUpdateSerializer(serializers.Serializer):
    """One state: the environment's default, or the override for a segment."""

    feature = NamedFeatureSerializer()
    enabled = serializers.BooleanField()
    value = TextValueSerializer()
    segment = PlacedSegmentSerializer(required=False, allow_null=True)


class DefaultUpdateSerializer(serializers.Serializer):
    enabled = serializers.BooleanField()
    value = TextValueSerializer()


class OverrideUpdateSerializer(serializers.Serializer):
    segment_id = IdField()
    priority = serializers.IntegerField(min_value=0, max_value=1_000_000_000, required=False, allow_null=True)
    enabled = serializers.BooleanField()
    value = TextValueSerializer()
    multivariate_feature_state_values = AllocationSerializer(many=True, required=False)


class FlagUpdatesSerializer(serializers.Serializer):
    """Several states of one feature. Overrides that aren't listed stay as they are."""

    feature = NamedFeatureSerializer()
    environment_default = DefaultUpdateSerializer(required=False, allow_null=True)
    segment_overrides = serializers.ListField(
        child=OverrideUpdateSerializer(), required=False, allow_null=True
    )

    def validate_segment_overrides(self, overrides: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
        ids = [each["segment_id"] for each in overrides or []]
        for segment_id in ids:
            if ids.count(segment_id) > 1:
                raise serializers.ValidationError(f"Duplicate segment_id: {segment_id}")
        return overrides or []


class NamedSegmentSerializer(serializers.Serializer):
    id = IdField()


class OverrideRemovalSerializer(serializers.Serializer):
    """The override that is to go."""

    feature = NamedFeatureSerializer()
    segment = NamedSegmentSerializer()


def _integer(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = INT32_MAX + 1
    if not -INT32_MAX - 1 <= number <= INT32_MAX:
        raise serializers.ValidationError(f"'{text}' is not a valid integer")
    return number


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise serializers.ValidationError(f"'{text}' is not a valid boolean (use 'true' or 'false')")
    return _BOOLEANS[text.lower()]


_READERS: dict[str, Callable[[str], FlagValue]] = {
    "string": within_limit,
    "integer": _integer,
    "boolean": _boolean,
}

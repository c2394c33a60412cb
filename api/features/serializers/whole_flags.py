"""All that a feature serves in one environment, on the wire. Every part of it may be left out."""

from typing import Any

from rest_framework import serializers

from core.fields import IdField, PercentageField
from features.models import FeatureState
from features.models.values import FlagValue
from features.serializers.flag_updates import NamedSegmentSerializer, TextValueSerializer
from features.services.allocations import MOST_PERCENT, Allocation


class VariantSerializer(serializers.Serializer):
    """A variant's share, in percent."""

    id = IdField()
    weight = PercentageField()


class FlagStateSerializer(serializers.Serializer):
    """What is served: whether it is on, a value, and of a multivariate feature the shares of all variants."""

    enabled = serializers.BooleanField(required=False)
    value = TextValueSerializer(required=False, allow_null=True)
    variants = serializers.ListField(child=VariantSerializer(), required=False)

    def validate_variants(self, variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
        options = self.context["options"]
        named = [each["id"] for each in variants]
        if variants and not options:
            raise serializers.ValidationError("Feature is not multivariate.")
        if set(named) - options:
            raise serializers.ValidationError("Variant not found.")
        if sorted(named) != sorted(options):
            raise serializers.ValidationError("Must include all feature's variants.")
        if sum(each["weight"] for each in variants) > MOST_PERCENT:
            raise serializers.ValidationError("Total weight must not exceed 100.")
        return variants

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = dict(attrs)
        if "value" in wanted:
            wanted["value"] = wanted["value"] and wanted["value"]["value"]
        if "variants" in wanted:
            variants = sorted(wanted.pop("variants"), key=lambda each: each["id"])
            wanted["allocations"] = tuple(Allocation(each["id"], each["weight"]) for each in variants)
        return wanted


class DefaultStateSerializer(FlagStateSerializer):
    """What is served to everyone. To replace it for a multivariate feature takes all its variants."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.context["replaces"] and self.context["options"] and "variants" not in attrs:
            raise serializers.ValidationError({"variants": ["Must include all feature's variants."]})
        return super().validate(attrs)


class FlagOverrideSerializer(FlagStateSerializer):
    """What is served to a segment. Without a priority a new one has its position in the list."""

    segment = NamedSegmentSerializer()
    priority = serializers.IntegerField(min_value=0, max_value=1_000_000_000, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = super().validate(attrs)
        return {**wanted, "segment_id": wanted.pop("segment")["id"]}


class FlagSerializer(serializers.Serializer):
    """What is served to everyone and to segments."""

    environment_default = DefaultStateSerializer(required=False)
    segment_overrides = serializers.ListField(child=FlagOverrideSerializer(), required=False)

    def validate_segment_overrides(self, overrides: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seen: set[int] = set()
        for each in overrides:
            if each["segment_id"] in seen:
                raise serializers.ValidationError(f"Duplicate segment: {each['segment_id']}.")
            seen.add(each["segment_id"])
        return overrides


def described_state(state: FeatureState, options: list[int]) -> dict[str, Any]:
    """Return what a state serves, as it is read and written here."""
    shares = {
        each.multivariate_feature_option_id: each.percentage_allocation
        for each in state.multivariate_feature_state_values.all()
    }
    return {
        "enabled": state.enabled,
        "value": _described_value(state.value),
        "variants": [{"id": option, "weight": shares.get(option, 0.0)} for option in options],
    }


def described_override(segment_id: int, state: FeatureState, options: list[int]) -> dict[str, Any]:
    """Return a segment's override, as it is read and written here."""
    return {
        "segment": {"id": segment_id},
        "priority": state.feature_segment.priority if state.feature_segment else 0,
        **described_state(state, options),
    }


def _described_value(value: FlagValue) -> dict[str, str] | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return {"type": "boolean", "value": str(value).lower()}
    return {"type": "integer" if isinstance(value, int) else "string", "value": str(value)}

"""Variants on the wire."""

from typing import Any

from rest_framework import serializers

from core.fields import IdField, PercentageField
from features.models import MultivariateOption
from features.serializers.values import TypedColumnsSerializer

_FIELDS = [
    "id",
    "uuid",
    "type",
    "string_value",
    "integer_value",
    "boolean_value",
    "default_percentage_allocation",
    "key",
]


class NestedOptionSerializer(TypedColumnsSerializer, serializers.ModelSerializer):
    """A variant within its feature. The `id` of one that is there already changes that one."""

    id = IdField(required=False, allow_null=True)
    default_percentage_allocation = PercentageField(default=100)

    class Meta:
        model = MultivariateOption
        fields = _FIELDS
        read_only_fields = ["key"]


class MultivariateOptionSerializer(TypedColumnsSerializer, serializers.ModelSerializer):
    default_percentage_allocation = PercentageField()
    key = serializers.SlugField(max_length=255, allow_null=True, required=False)
    feature = IdField(source="feature_id")

    class Meta:
        model = MultivariateOption
        fields = [*_FIELDS, "feature"]

    def validate_feature(self, feature_id: int) -> int:
        """Refuse another feature than the path's."""
        if feature_id != self.context["feature_id"]:
            raise serializers.ValidationError("A multivariate option stays with its feature.")
        return feature_id

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("feature_id", None)
        return super().validate(attrs)

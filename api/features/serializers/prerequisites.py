"""Prerequisites on the wire."""

from typing import Any, ClassVar

from rest_framework import serializers

from core.fields import IdField
from core.queries import QuerySerializer
from features.models import Prerequisite

# As long as a segment's condition may be.
LONGEST_VALUE = 1000


class RequiredValueField(serializers.CharField):
    """A value as text; integers and booleans become theirs, as conditions of segments spell them."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool):
            return "true" if data else "false"
        return super().to_internal_value(data)


class PrerequisiteSerializer(serializers.ModelSerializer):
    """What a feature needs: another one that is on, or off; if on, perhaps with a value or a variant."""

    feature = IdField(source="feature_id")
    feature_name = serializers.CharField(source="feature.name", read_only=True)
    required_feature = IdField(source="required_feature_id")
    required_feature_name = serializers.CharField(source="required_feature.name", read_only=True)
    value = RequiredValueField(
        max_length=LONGEST_VALUE, trim_whitespace=False, allow_blank=True, allow_null=True, required=False
    )

    class Meta:
        model = Prerequisite
        fields = [
            "id",
            "feature",
            "feature_name",
            "required_feature",
            "required_feature_name",
            "enabled",
            "value",
            "variant",
            "created_at",
        ]
        # The service says it in words that name the field.
        validators: ClassVar[list[Any]] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Of one that is there only what it asks for can be changed, not of whom."""
        if self.instance is None:
            return attrs
        for column in ("feature_id", "required_feature_id"):
            if attrs.pop(column, getattr(self.instance, column)) != getattr(self.instance, column):
                field = column.removesuffix("_id")
                raise serializers.ValidationError({field: [f"Cannot change the {field} of a prerequisite."]})
        return attrs


class PrerequisitesQuery(QuerySerializer):
    feature = IdField(required=False, help_text="Only what this feature needs.")
    required_feature = IdField(required=False, help_text="Only where this feature is needed.")

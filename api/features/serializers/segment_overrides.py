"""Feature segments on the wire: the places of a feature's segment overrides."""

from rest_framework import serializers

from core.fields import IdField
from core.queries import QuerySerializer
from features.models import FeatureSegment


class FeatureSegmentSerializer(serializers.ModelSerializer):
    """As in lists and details."""

    segment_name = serializers.CharField(source="segment.name", read_only=True)
    is_feature_specific = serializers.SerializerMethodField()

    class Meta:
        model = FeatureSegment
        fields = ["id", "uuid", "segment", "priority", "environment", "segment_name", "is_feature_specific"]
        read_only_fields = fields

    def get_is_feature_specific(self, override: FeatureSegment) -> bool:
        return override.segment.feature_id is not None


class NewFeatureSegmentSerializer(serializers.ModelSerializer):
    """As it is made, and answered then. The priority is always the last."""

    feature = IdField(source="feature_id")
    segment = IdField(source="segment_id")
    environment = IdField(source="environment_id")

    class Meta:
        model = FeatureSegment
        fields = ["id", "uuid", "feature", "segment", "environment", "priority"]
        read_only_fields = ["priority"]


class KeptFeatureSegmentSerializer(FeatureSegmentSerializer):
    """What may be sent for one that is there: what it is already."""

    feature = IdField(source="feature_id", required=False, write_only=True)
    segment = IdField(source="segment_id", required=False)
    environment = IdField(source="environment_id", required=False)

    class Meta(FeatureSegmentSerializer.Meta):
        fields = [*FeatureSegmentSerializer.Meta.fields, "feature"]
        read_only_fields = ["priority"]

    def validate(self, attrs: dict[str, int]) -> dict[str, int]:
        for column, wanted in attrs.items():
            if wanted != getattr(self.instance, column):
                field = column.removesuffix("_id")
                reason = f"Cannot change the {field} of a segment override."
                raise serializers.ValidationError({field: [reason]})
        return attrs


class PrioritySerializer(serializers.Serializer):
    """Where a segment override is to stand; 0 is tried first."""

    id = IdField()
    priority = serializers.IntegerField(min_value=0, max_value=1_000_000_000)


class FeatureSegmentQuery(QuerySerializer):
    environment = IdField()
    feature = IdField()

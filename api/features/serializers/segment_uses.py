"""Where segments are used, on the wire."""

from rest_framework import serializers

from environments.models import Environment
from features.models import Feature, FeatureState


class UsingFeatureSerializer(serializers.ModelSerializer):
    """A feature by its name."""

    class Meta:
        model = Feature
        fields = ["id", "name"]
        read_only_fields = fields


class UsingEnvironmentSerializer(serializers.ModelSerializer):
    """An environment by its name."""

    class Meta:
        model = Environment
        fields = ["id", "name"]
        read_only_fields = fields


class SegmentUseSerializer(serializers.ModelSerializer):
    """One override for a segment. Of a feature's overrides that match, the lowest `priority` wins."""

    feature = UsingFeatureSerializer(read_only=True)
    environment = UsingEnvironmentSerializer(read_only=True)
    feature_state = serializers.IntegerField(source="pk", read_only=True)
    priority = serializers.IntegerField(source="feature_segment.priority", read_only=True)

    class Meta:
        model = FeatureState
        fields = ["feature", "environment", "feature_segment", "feature_state", "priority", "enabled"]
        read_only_fields = fields

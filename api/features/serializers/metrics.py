"""Figures of an environment on the wire."""

from rest_framework import serializers

from features.selectors.lifecycle import Stage


class MetricSerializer(serializers.Serializer):
    """One figure. Dashboards show them in the order of their ranks."""

    value = serializers.IntegerField()
    description = serializers.CharField()
    name = serializers.CharField()
    entity = serializers.CharField()
    rank = serializers.IntegerField()


class MetricsSerializer(serializers.Serializer):
    metrics = MetricSerializer(many=True)


class LifecycleCountsSerializer(serializers.Serializer):
    """The number of features in each stage."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {stage.value: serializers.IntegerField() for stage in Stage}

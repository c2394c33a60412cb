"""Figures of an environment on the wire."""

from rest_framework import serializers


class MetricSerializer(serializers.Serializer):
    """One figure. Dashboards show them in the order of their ranks."""

    value = serializers.IntegerField()
    description = serializers.CharField()
    name = serializers.CharField()
    entity = serializers.CharField()
    rank = serializers.IntegerField()


class MetricsSerializer(serializers.Serializer):
    metrics = MetricSerializer(many=True)

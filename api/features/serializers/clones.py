"""Copies of environments on the wire."""

from rest_framework import serializers

from environments.models import Environment


class CloneSerializer(serializers.Serializer):
    """What a copy is to be called. It is complete when it is answered, whatever is asked for."""

    name = serializers.CharField(max_length=2000)
    clone_feature_states_async = serializers.BooleanField(required=False)


class ClonedEnvironmentSerializer(serializers.ModelSerializer):
    """A copy, as it is answered."""

    class Meta:
        model = Environment
        fields = ["id", "name", "api_key", "project"]

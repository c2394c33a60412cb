"""What an identity is served, as the management API shows it."""

from typing import Any

from rest_framework import serializers

from core.fields import INT64_MAX, IdField
from documents.evaluation import ServedFlag
from features.models import FeatureType
from features.serializers.values import RawValueField


class _NamedSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class _FeatureSerializer(_NamedSerializer):
    type = serializers.ChoiceField(choices=FeatureType.choices)


class _OptionValueSerializer(serializers.Serializer):
    value = RawValueField()


class _WeightSerializer(serializers.Serializer):
    multivariate_feature_option = _OptionValueSerializer()
    percentage_allocation = serializers.FloatField()


class ServedFlagSerializer(serializers.Serializer):
    """A feature as one identity gets it, and what decided: its own override, a segment's, a prerequisite."""

    feature = _FeatureSerializer()
    enabled = serializers.BooleanField()
    feature_state_value = RawValueField()
    overridden_by = serializers.ChoiceField(choices=["SEGMENT", "IDENTITY"], allow_null=True)
    segment = _NamedSerializer(allow_null=True)
    unmet_prerequisite = serializers.CharField(
        allow_null=True, help_text="The name of the feature for whose sake this one is off."
    )
    multivariate_feature_state_values = _WeightSerializer(many=True)

    def to_representation(self, instance: ServedFlag) -> dict[str, Any]:
        flag, feature, segment = instance.flag, instance.feature, instance.segment
        return {
            "feature": {"id": feature["id"], "name": feature["name"], "type": feature["type"]},
            "enabled": flag.enabled,
            "feature_state_value": flag.value,
            "overridden_by": instance.overridden_by,
            "segment": {"id": int(segment["key"]), "name": segment["name"]} if segment else None,
            "unmet_prerequisite": instance.unmet_prerequisite,
            "multivariate_feature_state_values": [
                {
                    "multivariate_feature_option": {"value": variant["value"]},
                    "percentage_allocation": variant["weight"],
                }
                for variant in flag.feature.get("variants") or ()
            ],
        }


class SourceIdentitySerializer(serializers.Serializer):
    """Whose overrides are copied."""

    source_identity_id = IdField(max_value=INT64_MAX)

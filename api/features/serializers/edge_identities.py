"""Overrides of identities in the shapes of Flagsmith's edge store."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.fields import IdField
from core.queries import QuerySerializer
from features.models import FeatureState
from features.serializers.feature_states import AllocationSerializer
from features.serializers.values import RawValueField
from identities.uuids import identity_uuid


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class FeatureByIdOrNameField(serializers.Field):
    """A feature: a number is its id, a text its name."""

    def to_internal_value(self, data: Any) -> int | str:
        is_id = isinstance(data, int) and not isinstance(data, bool)
        field = IdField() if is_id else serializers.CharField(max_length=2000, trim_whitespace=False)
        read: int | str = field.run_validation(data)
        return read

    def to_representation(self, value: int | str) -> int | str:
        return value


class OverrideByIdentifierSerializer(serializers.Serializer):
    """Whose override of what."""

    identifier = serializers.CharField(max_length=2000, trim_whitespace=False)
    feature = FeatureByIdOrNameField()


class NewOverrideByIdentifierSerializer(OverrideByIdentifierSerializer):
    """What an identity is to get. Without a value it keeps the one it has, or gets the initial one."""

    enabled = serializers.BooleanField(default=False)
    feature_state_value = RawValueField(source="value", required=False)
    multivariate_feature_state_values = AllocationSerializer(many=True, required=False)


class EdgeFeatureStateSerializer(serializers.ModelSerializer):
    """An override of an identity, known by uuids."""

    featurestate_uuid = serializers.UUIDField(source="uuid", read_only=True)
    identity_uuid = serializers.SerializerMethodField()
    feature_state_value = RawValueField(source="value", read_only=True)
    multivariate_feature_state_values = AllocationSerializer(many=True, read_only=True)

    class Meta:
        model = FeatureState
        fields = [
            "featurestate_uuid",
            "identity_uuid",
            "feature",
            "enabled",
            "feature_state_value",
            "multivariate_feature_state_values",
        ]
        read_only_fields = fields

    def get_identity_uuid(self, state: FeatureState) -> str:
        return identity_uuid_of(state)


class EdgeOverrideSerializer(serializers.Serializer):
    """An override and whose it is."""

    identifier = serializers.CharField(source="identity.identifier")
    identity_uuid = serializers.SerializerMethodField()
    feature_state = EdgeFeatureStateSerializer(source="*")

    def get_identity_uuid(self, state: FeatureState) -> str:
        return identity_uuid_of(state)


class EdgeOverridesQuery(QuerySerializer):
    """The parameters of a list of overrides."""

    feature = IdField(required=False)


def identity_uuid_of(override: FeatureState) -> str:
    """Return the uuid of an override's identity; both it and the environment should be loaded."""
    return identity_uuid(
        override.environment.api_key, override.identity.identifier if override.identity else ""
    )

"""The shapes of SDK requests and answers, for the API's description.

Requests are read by `sdk.inputs` and answers written by `sdk.payloads`: on this path each microsecond
counts. A test holds what is answered against these shapes.
"""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema_field, inline_serializer
from rest_framework import serializers

from features.models import FeatureType

SCALAR: dict[str, Any] = {
    "oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}]
}


@extend_schema_field({**SCALAR, "nullable": True})
class ValueField(serializers.Field):
    """A string, number, boolean or null, in its own type."""

    def to_representation(self, value: object) -> object:
        return value


class SdkFeatureSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    created_date = serializers.DateTimeField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    initial_value = serializers.CharField(allow_null=True)
    default_enabled = serializers.BooleanField(allow_null=True)
    type = serializers.ChoiceField(FeatureType.choices)


class SdkFlagSerializer(serializers.Serializer):
    id = serializers.IntegerField(allow_null=True)
    feature = SdkFeatureSerializer()
    feature_state_value = ValueField(allow_null=True)
    environment = serializers.IntegerField(allow_null=True)
    identity = serializers.IntegerField(allow_null=True)
    feature_segment = serializers.IntegerField(allow_null=True, help_text="Always null.")
    enabled = serializers.BooleanField()


class SdkIdentityFlagSerializer(SdkFlagSerializer):
    variant = serializers.CharField(allow_null=True)


class TraitValueSerializer(serializers.Serializer):
    trait_value = ValueField()


class GivenTraitSerializer(TraitValueSerializer):
    trait_key = serializers.CharField(max_length=200)
    transient = serializers.BooleanField(required=False, allow_null=True, default=False)


class SdkTraitSerializer(TraitValueSerializer):
    id = serializers.IntegerField(allow_null=True)
    trait_key = serializers.CharField()
    transient = serializers.BooleanField()


class IdentifySerializer(serializers.Serializer):
    identifier = serializers.CharField(max_length=2000, required=False, allow_null=True, allow_blank=True)
    transient = serializers.BooleanField(required=False, allow_null=True, default=False)
    traits = GivenTraitSerializer(many=True, required=False, allow_null=True)


class SdkIdentitySerializer(serializers.Serializer):
    identifier = serializers.CharField()
    traits = SdkTraitSerializer(many=True)
    flags = SdkIdentityFlagSerializer(many=True)


class IdentifyManySerializer(serializers.Serializer):
    data = serializers.ListField(  # type: ignore[assignment]  # hides the property of the same name
        child=IdentifySerializer(), max_length=100
    )


class IdentifierSerializer(serializers.Serializer):
    identifier = serializers.CharField(max_length=2000)


class SdkTraitOfIdentitySerializer(serializers.Serializer):
    identity = IdentifierSerializer()
    trait_key = serializers.CharField(max_length=200)
    trait_value = ValueField()


class IncrementTraitSerializer(serializers.Serializer):
    identifier = serializers.CharField(max_length=2000)
    trait_key = serializers.CharField(max_length=200)
    increment_by = serializers.IntegerField()


class IncrementedTraitSerializer(serializers.Serializer):
    trait_key = serializers.CharField()
    trait_value = serializers.IntegerField()
    identifier = serializers.CharField()


class MatchingSegmentSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField(allow_null=True)


class SdkIdentityWithSegmentsSerializer(serializers.Serializer):
    flags = SdkIdentityFlagSerializer(many=True)
    traits = SdkTraitSerializer(many=True)
    segments = MatchingSegmentSerializer(many=True)


class VariantValueSerializer(serializers.Serializer):
    value = ValueField(allow_null=True)


class SdkVariantsSerializer(serializers.Serializer):
    control_value = ValueField(allow_null=True)
    options = VariantValueSerializer(many=True)


DETAIL = OpenApiResponse(
    inline_serializer("Refusal", {"detail": serializers.CharField()}), "What is wrong, for people."
)
INVALID = OpenApiResponse(OpenApiTypes.OBJECT, 'What is wrong with each field: `{"identifier": ["…"]}`.')


class DocumentFeatureSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    type = serializers.ChoiceField(FeatureType.choices)


class DocumentOptionSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    value = ValueField(allow_null=True)
    key = serializers.CharField(allow_null=True)


class DocumentAllocationSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    mv_fs_value_uuid = serializers.UUIDField()
    percentage_allocation = serializers.FloatField()
    multivariate_feature_option = DocumentOptionSerializer()


class DocumentPrioritySerializer(serializers.Serializer):
    priority = serializers.IntegerField()


class DocumentFeatureStateSerializer(serializers.Serializer):
    feature = DocumentFeatureSerializer()
    enabled = serializers.BooleanField()
    django_id = serializers.IntegerField(help_text="What variants are drawn with.")
    feature_segment = DocumentPrioritySerializer(allow_null=True)
    featurestate_uuid = serializers.UUIDField()
    feature_state_value = ValueField(allow_null=True)
    multivariate_feature_state_values = DocumentAllocationSerializer(many=True)


class DocumentConditionSerializer(serializers.Serializer):
    operator = serializers.CharField()
    property_ = serializers.CharField(allow_null=True)
    value = serializers.CharField()


class DocumentRuleSerializer(serializers.Serializer):
    type = serializers.CharField()
    conditions = DocumentConditionSerializer(many=True)
    rules = serializers.ListField(child=serializers.DictField(), help_text="Rules of the same shape.")


class DocumentSegmentSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    rules = DocumentRuleSerializer(many=True)
    feature_states = DocumentFeatureStateSerializer(many=True)


class DocumentOrganisationSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    feature_analytics = serializers.BooleanField()
    stop_serving_flags = serializers.BooleanField()
    persist_trait_data = serializers.BooleanField()


class DocumentProjectSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    hide_disabled_flags = serializers.BooleanField()
    enable_realtime_updates = serializers.BooleanField()
    server_key_only_feature_ids = serializers.ListField(child=serializers.IntegerField())
    organisation = DocumentOrganisationSerializer()
    segments = DocumentSegmentSerializer(many=True)


class DocumentIdentitySerializer(serializers.Serializer):
    identifier = serializers.CharField()
    identity_uuid = serializers.UUIDField()
    created_date = serializers.DateTimeField()
    environment_api_key = serializers.CharField()
    composite_key = serializers.CharField()
    django_id = serializers.IntegerField()
    dashboard_alias = serializers.CharField(allow_null=True)
    identity_features = DocumentFeatureStateSerializer(many=True)
    identity_traits = serializers.ListField(child=serializers.DictField(), help_text="Always empty.")


class EnvironmentDocumentSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    api_key = serializers.CharField(help_text="The client-side key.")
    name = serializers.CharField()
    updated_at = serializers.DateTimeField()
    allow_client_traits = serializers.BooleanField()
    hide_sensitive_data = serializers.BooleanField()
    hide_disabled_flags = serializers.BooleanField(allow_null=True)
    use_identity_composite_key_for_hashing = serializers.BooleanField()
    use_identity_overrides_in_local_eval = serializers.BooleanField()
    project = DocumentProjectSerializer()
    feature_states = DocumentFeatureStateSerializer(many=True)
    identity_overrides = DocumentIdentitySerializer(many=True)

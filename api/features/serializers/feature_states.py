"""Feature states on the wire. The value is raw in one family of endpoints, a typed object in the other."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from core.fields import INT64_MAX, IdField, PercentageField, WholeItem
from core.queries import QuerySerializer
from features.models import FeatureSegment, FeatureState, MultivariateFeatureStateValue
from features.serializers.values import RawValueField, TypedValueSerializer
from features.services.allocations import Allocation
from features.services.feature_states import FeatureStateChanges
from identities.models import Identity


def changes_in(data: Mapping[str, Any]) -> FeatureStateChanges:
    """Return what validated data says of a state's properties, as the services take it."""
    changes = FeatureStateChanges()
    if "enabled" in data:
        changes["enabled"] = data["enabled"]
    if "value" in data:
        changes["value"] = data["value"]
    if "multivariate_feature_state_values" in data:
        changes["allocations"] = tuple(
            Allocation(each["multivariate_feature_option_id"], each["percentage_allocation"])
            for each in data["multivariate_feature_state_values"]
        )
    return changes


class AllocationSerializer(WholeItem, serializers.ModelSerializer):
    """A variant's share. The list is always all of them; a variant that had a share keeps its row."""

    id = serializers.IntegerField(read_only=True)
    multivariate_feature_option = IdField(source="multivariate_feature_option_id")
    percentage_allocation = PercentageField()

    class Meta:
        model = MultivariateFeatureStateValue
        fields = ["id", "multivariate_feature_option", "percentage_allocation"]


class IdentitySummarySerializer(serializers.ModelSerializer):
    class Meta:
        model = Identity
        fields = ["id", "identifier"]
        read_only_fields = fields


class StateSerializer(serializers.ModelSerializer):
    """What every shape of a feature state has in common; each adds its form of the value."""

    multivariate_feature_state_values = AllocationSerializer(many=True, required=False)
    change_request = serializers.IntegerField(source="change_request_id", read_only=True, allow_null=True)
    environment_feature_version = serializers.UUIDField(
        source="environment_feature_version_id", read_only=True, allow_null=True
    )

    class Meta:
        model = FeatureState
        fields = [
            "id",
            "uuid",
            "feature",
            "environment",
            "identity",
            "feature_segment",
            "enabled",
            "feature_state_value",
            "multivariate_feature_state_values",
            "created_at",
            "updated_at",
            "live_from",
            "deleted_at",
            "version",
            "change_request",
            "environment_feature_version",
        ]

    @property
    def changes(self) -> FeatureStateChanges:
        """What was sent of a state's properties, as the services take it."""
        return changes_in(self.validated_data)


class FeatureStateSerializer(StateSerializer):
    """A feature state with a raw value. What it is for, it stays for."""

    feature = IdField(source="feature_id", required=False)
    environment = IdField(source="environment_id", required=False)
    feature_state_value = RawValueField(source="value", required=False)

    class Meta(StateSerializer.Meta):
        read_only_fields = ["identity", "feature_segment", "version", "live_from", "deleted_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        refuse_move(attrs, self.instance)
        return attrs


class NewIdentityOverrideSerializer(FeatureStateSerializer):
    """An override to be made. Environment and identity are the path's."""

    environment = IdField(source="environment_id", read_only=True)


class NewFeatureStateSerializer(NewIdentityOverrideSerializer):
    """A state to be made in the path's environment: its default, or for an identity or a segment."""

    identity = IdField(source="identity_id", required=False, allow_null=True, max_value=INT64_MAX)
    feature_segment = IdField(source="feature_segment_id", required=False, allow_null=True)
    identifier = serializers.CharField(
        required=False, write_only=True, max_length=2000, trim_whitespace=False
    )

    class Meta(FeatureStateSerializer.Meta):
        fields = [*FeatureStateSerializer.Meta.fields, "identifier"]
        read_only_fields = ["version", "live_from", "deleted_at"]


class ListedFeatureStateSerializer(FeatureStateSerializer):
    """As in lists: an override names its identity."""

    identity = IdentitySummarySerializer(read_only=True)


class TypedFeatureStateSerializer(StateSerializer):
    """A feature state whose value is a typed object. What it is for, it stays for."""

    feature = IdField(source="feature_id")
    environment = IdField(source="environment_id")
    feature_state_value = TypedValueSerializer(source="*", required=False)

    class Meta(StateSerializer.Meta):
        read_only_fields = ["identity", "feature_segment", "version", "live_from", "deleted_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        refuse_move(attrs, self.instance)
        return attrs


class NewTypedFeatureStateSerializer(TypedFeatureStateSerializer):
    """A state to be made: an environment's default, or for an identity or a segment."""

    identity = IdField(source="identity_id", required=False, allow_null=True, max_value=INT64_MAX)
    feature_segment = IdField(source="feature_segment_id", required=False, allow_null=True)

    class Meta(TypedFeatureStateSerializer.Meta):
        read_only_fields = ["version", "live_from", "deleted_at"]


class PlaceSerializer(serializers.ModelSerializer):
    """For which segment an override is, and where it stands among the others."""

    segment = IdField(source="segment_id")
    priority = serializers.IntegerField(min_value=0, max_value=1_000_000_000, required=False, allow_null=True)

    class Meta:
        model = FeatureSegment
        fields = ["id", "segment", "priority", "uuid"]


class SegmentOverrideSerializer(StateSerializer):
    """A segment override, with its feature segment inside it. Feature and environment are the path's."""

    feature_state_value = TypedValueSerializer(source="*", required=False)
    feature_segment = PlaceSerializer()

    class Meta(StateSerializer.Meta):
        fields = [
            field
            for field in StateSerializer.Meta.fields
            if field not in {"version", "environment_feature_version"}
        ]
        read_only_fields = ["feature", "environment", "identity", "live_from", "deleted_at"]


def refuse_move(attrs: dict[str, Any], state: FeatureState | None) -> None:
    """Refuse to turn a state, if there is one already, into that of another feature or environment.

    Raises:
        ValidationError: naming the field.
    """
    for field in ("feature", "environment"):
        if state and attrs.get(f"{field}_id", getattr(state, f"{field}_id")) != getattr(state, f"{field}_id"):
            raise serializers.ValidationError({field: [f"Cannot change the {field} of a feature state"]})


class StatesInEnvironmentQuery(QuerySerializer):
    """The parameters of a list of one environment's states."""

    means_something_empty = frozenset({"anyIdentity"})

    feature = IdField(required=False)
    feature_name = serializers.CharField(required=False)
    anyIdentity = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="Given with any value: the overrides of identities, not the environment's defaults.",
    )


class StatesQuery(QuerySerializer):
    """The parameters of a list of all states of an environment."""

    environment = IdField()
    feature = IdField(required=False)
    feature_segment = IdField(required=False)


class VersionStateSerializer(SegmentOverrideSerializer):
    """A state of a version: its default, or a segment override with its feature segment inside it."""

    feature_segment = PlaceSerializer(required=False, allow_null=True)

    def validate_feature_segment(self, place: dict[str, Any] | None) -> dict[str, Any] | None:
        if self.instance is None:
            return place
        own = self.instance.feature_segment
        if (place or {}).get("segment_id", own and own.segment_id) != (own and own.segment_id):
            raise serializers.ValidationError(
                {"segment": ["Cannot change the segment of a segment override."]}
            )
        return place


class AssociatedFeatureSerializer(serializers.ModelSerializer):
    """A feature state by its id, and where it is."""

    class Meta:
        model = FeatureState
        fields = ["id", "feature", "environment"]
        read_only_fields = fields


class AssociatedFeaturesQuery(QuerySerializer):
    environment = IdField(required=False)

"""Features on the wire."""

from typing import Any, ClassVar

from rest_framework import serializers

from core.fields import ChoiceField, ConstantField, IdField, IdListField, TextOfAnyField
from core.queries import IdsParameter, QuerySerializer
from features.models import Feature, FeatureState, FeatureType
from features.selectors.lifecycle import Stage
from features.serializers.code import CodeReferencesCountSerializer
from features.serializers.multivariate_options import NestedOptionSerializer
from features.serializers.values import RawValueField, within_limit
from metadata.serializers import WithCustomFields
from organisations.serializers.groups import GroupSummarySerializer
from users.serializers import UserSummarySerializer


class EmbeddedStateSerializer(serializers.ModelSerializer):
    """How a feature is set in an environment, inside the feature's own description."""

    feature_state_value = RawValueField(source="value", read_only=True)

    class Meta:
        model = FeatureState
        fields = ["id", "feature_state_value", "environment", "identity", "feature_segment", "enabled"]
        read_only_fields = fields


class FirstStateSerializer(EmbeddedStateSerializer):
    """The one state that a list of at most one has, or null."""

    def get_attribute(self, instance: Any) -> FeatureState | None:
        return next(iter(getattr(instance, str(self.source), [])), None)


class InitialValueField(TextOfAnyField):
    """What a feature is worth at first, as text: numbers and booleans are taken by their text."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, list | dict):
            self.fail("invalid")
        return within_limit(super().to_internal_value(data))


class FeatureSerializer(WithCustomFields, serializers.ModelSerializer):
    """A feature. What it starts with, its name and its owners are read-only: they are set at creation."""

    serializer_choice_field = ChoiceField

    tags = IdListField(required=False)
    multivariate_options = NestedOptionSerializer(many=True, required=False)
    owners = UserSummarySerializer(many=True, read_only=True)
    group_owners = GroupSummarySerializer(many=True, read_only=True)
    environment_feature_state = FirstStateSerializer(
        source="states_in_environment", read_only=True, allow_null=True
    )
    segment_feature_state = FirstStateSerializer(source="states_for_segment", read_only=True, allow_null=True)
    num_segment_overrides = serializers.SerializerMethodField()
    num_identity_overrides = serializers.SerializerMethodField()
    is_num_identity_overrides_complete = ConstantField(True)
    # Known of published versions only.
    last_modified_in_any_environment = serializers.DateTimeField(
        read_only=True, default=None, allow_null=True
    )
    last_modified_in_current_environment = serializers.DateTimeField(
        read_only=True, default=None, allow_null=True
    )
    code_references_counts = CodeReferencesCountSerializer(source="code_sightings", many=True, read_only=True)
    lifecycle_stage = serializers.ChoiceField(
        choices=Stage.choices,
        read_only=True,
        help_text="Where the feature is in its life; there where an `environment` is asked for.",
    )

    class Meta:
        model = Feature
        fields: ClassVar[list[str]] = [
            "id",
            "name",
            "type",
            "default_enabled",
            "initial_value",
            "created_date",
            "description",
            "tags",
            "multivariate_options",
            "is_archived",
            "owners",
            "group_owners",
            "uuid",
            "project",
            "environment_feature_state",
            "segment_feature_state",
            "num_segment_overrides",
            "num_identity_overrides",
            "is_num_identity_overrides_complete",
            "is_server_key_only",
            "last_modified_in_any_environment",
            "last_modified_in_current_environment",
            "metadata",
            "code_references_counts",
            "lifecycle_stage",
        ]
        read_only_fields: ClassVar[list[str]] = ["name", "default_enabled", "initial_value", "project"]

    def get_num_segment_overrides(self, feature: Feature) -> int:
        return getattr(feature, "num_segment_overrides", 0)

    def get_num_identity_overrides(self, feature: Feature) -> int | None:
        return getattr(feature, "num_identity_overrides", None)


class NewFeatureSerializer(FeatureSerializer):
    """A feature to be made."""

    name = serializers.CharField(max_length=2000)
    default_enabled = serializers.BooleanField(required=False)
    initial_value = InitialValueField(
        required=False, allow_null=True, allow_blank=True, trim_whitespace=False
    )
    owners = IdListField(required=False, write_only=True)  # type: ignore[assignment]
    group_owners = IdListField(required=False, write_only=True)  # type: ignore[assignment]

    def to_representation(self, instance: Feature) -> dict[str, Any]:
        return FeatureSerializer(instance, context=self.context).data


class FeatureByUuidSerializer(FeatureSerializer):
    """What is known of a feature wherever it is set."""

    class Meta(FeatureSerializer.Meta):
        fields = [
            field
            for field in FeatureSerializer.Meta.fields
            if field not in {"metadata", "code_references_counts", "lifecycle_stage"}
        ]


class ShortFeatureSerializer(FeatureSerializer):
    """A feature and who owns it."""

    class Meta(FeatureSerializer.Meta):
        fields = [
            "id",
            "name",
            "created_date",
            "description",
            "initial_value",
            "default_enabled",
            "type",
            "owners",
            "group_owners",
            "is_server_key_only",
        ]


class OwnersSerializer(serializers.Serializer):
    """Users to be put on or taken off a feature's owners."""

    user_ids = IdListField()


class GroupOwnersSerializer(serializers.Serializer):
    """Groups to be put on or taken off a feature's owners."""

    group_ids = IdListField()


class FeatureQuery(QuerySerializer):
    """The parameters of a list of features."""

    means_something_empty = frozenset({"tags"})

    search = serializers.CharField(required=False, help_text="The name contains this.")
    sort_field = ChoiceField(choices=["created_date", "name"], required=False)
    sort_direction = ChoiceField(choices=["ASC", "DESC"], required=False)
    tags = IdsParameter(
        message="Tag IDs must be integers.",
        required=False,
        help_text="Ids with commas between them. Empty: features without any tag.",
    )
    tag_strategy = ChoiceField(
        choices=["INTERSECTION", "UNION"], required=False, help_text="All of the tags, or any."
    )
    is_archived = serializers.BooleanField(required=False, allow_null=True)
    type = ChoiceField(choices=FeatureType.choices, required=False)
    environment = IdField(required=False, help_text="Describe how features are set in this environment.")
    segment = serializers.IntegerField(
        required=False, help_text="With `environment`: features that this segment overrides come first."
    )
    identity = serializers.IntegerField(
        required=False,
        error_messages={"invalid": "Must be a valid integer."},
        help_text="With `environment`: features that this identity overrides come first.",
    )
    is_enabled = serializers.BooleanField(required=False, allow_null=True)
    value_search = serializers.CharField(
        required=False, help_text="With `environment`: the value contains this text or is this number."
    )
    owners = IdsParameter(message="Owner IDs must be integers.", required=False)
    group_owners = IdsParameter(message="Group owner IDs must be integers.", required=False)
    lifecycle_stage = ChoiceField(
        choices=Stage.choices, required=False, help_text="With `environment`: features in this stage."
    )


class EnvironmentQuery(QuerySerializer):
    """Where a single feature's description looks."""

    environment = IdField(required=False, help_text="Describe how the feature is set in this environment.")
    segment = serializers.IntegerField(required=False)

"""Projects and tags on the wire."""

from typing import Any

import re2
from rest_framework import serializers

from core.errors import InvalidInput
from core.fields import ChoiceField, ConstantField, IdField
from core.queries import QuerySerializer
from projects.models import Project, Tag

_SILENT = re2.Options()
_SILENT.log_errors = False


class ProjectSerializer(serializers.ModelSerializer):
    """A project. What has to do with Flagsmith's edge is constant: there is none here."""

    enable_dynamo_db = ConstantField(value=False)
    migration_status = ConstantField("NOT_APPLICABLE")
    use_edge_identities = ConstantField(value=False)
    edge_v2_migration_status = ConstantField("NOT_STARTED")

    class Meta:
        model = Project
        fields = [
            "id",
            "uuid",
            "name",
            "organisation",
            "hide_disabled_flags",
            "enable_dynamo_db",
            "migration_status",
            "use_edge_identities",
            "prevent_flag_defaults",
            "enable_realtime_updates",
            "only_allow_lower_case_feature_names",
            "feature_name_regex",
            "show_edge_identity_overrides_for_feature",
            "stale_flags_limit_days",
            "edge_v2_migration_status",
            "minimum_change_request_approvals",
            "enforce_feature_owners",
        ]
        read_only_fields = ["organisation"]

    def validate_feature_name_regex(self, pattern: str | None) -> str | None:
        if pattern:
            try:
                re2.compile(pattern, _SILENT)
            except re2.error as error:
                raise serializers.ValidationError(f"Not a regular expression: {error}") from error
        return pattern


class NewProjectSerializer(ProjectSerializer):
    """A project to be made. Its organisation stays."""

    organisation = IdField()

    class Meta(ProjectSerializer.Meta):
        read_only_fields = []

    def to_representation(self, instance: Project) -> dict[str, Any]:
        return ProjectSerializer(instance, context=self.context).data


class ProjectDetailSerializer(ProjectSerializer):
    """A project with its size. The limits are for dashboards, which warn near them; nothing enforces them."""

    max_segments_allowed = ConstantField(100_000)
    max_features_allowed = ConstantField(100_000)
    max_segment_overrides_allowed = ConstantField(100_000)
    total_features = serializers.IntegerField(source="features.count", read_only=True)
    total_segments = serializers.IntegerField(source="segments.for_people.count", read_only=True)

    class Meta(ProjectSerializer.Meta):
        fields = [
            *ProjectSerializer.Meta.fields,
            "max_segments_allowed",
            "max_features_allowed",
            "max_segment_overrides_allowed",
            "total_features",
            "total_segments",
        ]


class ProjectQuery(QuerySerializer):
    """The parameters of a list of projects."""

    organisation = serializers.CharField(required=False, help_text="The id of their organisation.")
    uuid = serializers.UUIDField(required=False)

    def validate_organisation(self, text: str) -> int:
        try:
            return int(text)
        except ValueError as error:
            raise InvalidInput({"organisation": "Must be a valid integer."}) from error


class TagSerializer(serializers.ModelSerializer):
    """A label for features."""

    serializer_choice_field = ChoiceField

    class Meta:
        model = Tag
        fields = [
            "id",
            "uuid",
            "label",
            "color",
            "description",
            "project",
            "is_permanent",
            "is_system_tag",
            "type",
        ]
        read_only_fields = ["project", "is_system_tag", "type"]

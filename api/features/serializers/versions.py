"""Versions on the wire."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from core.fields import IdField
from core.queries import QuerySerializer
from features.exceptions import VersionConflictError
from features.models import EnvironmentFeatureVersion
from features.selectors.versions import previous_version
from features.serializers.feature_states import VersionStateSerializer, changes_in
from features.services.change_sets import Change, Operation


class VersionSerializer(serializers.ModelSerializer):
    """A version. `is_live` says that it is served, or was until another one went live."""

    is_live = serializers.BooleanField(source="has_gone_live", read_only=True)

    class Meta:
        model = EnvironmentFeatureVersion
        fields = [
            "created_at",
            "updated_at",
            "published",
            "live_from",
            "uuid",
            "is_live",
            "published_by",
            "created_by",
            "description",
        ]
        read_only_fields = fields


class VersionDetailSerializer(VersionSerializer):
    """A version, of what it is one, and which came before it."""

    previous_version_uuid = serializers.SerializerMethodField()

    class Meta(VersionSerializer.Meta):
        fields = [*VersionSerializer.Meta.fields, "previous_version_uuid", "feature", "environment"]
        read_only_fields = fields

    def get_previous_version_uuid(self, version: EnvironmentFeatureVersion) -> str | None:
        before = previous_version(version)
        return str(before.pk) if before else None


class NewVersionSerializer(VersionSerializer):
    """A version to be made: what is different of it from what is served now."""

    feature_states_to_create = serializers.ListField(
        child=VersionStateSerializer(),
        required=False,
        allow_null=True,
        write_only=True,
        help_text="Segment overrides that are new.",
    )
    feature_states_to_update = serializers.ListField(
        child=VersionStateSerializer(),
        required=False,
        allow_null=True,
        write_only=True,
        help_text="Without a feature segment: what is served to everyone. Otherwise its segment's override.",
    )
    segment_ids_to_delete_overrides = serializers.ListField(
        child=IdField(), required=False, allow_null=True, write_only=True
    )
    publish_immediately = serializers.BooleanField(required=False, write_only=True)

    class Meta(VersionSerializer.Meta):
        fields = [
            *VersionSerializer.Meta.fields,
            "feature_states_to_create",
            "feature_states_to_update",
            "segment_ids_to_delete_overrides",
            "publish_immediately",
        ]
        read_only_fields = [
            field for field in VersionSerializer.Meta.fields if field not in {"live_from", "description"}
        ]

    def changes(self, *, environment_id: int, feature_id: int) -> list[list[Change]]:
        """Return what is to be made, changed and taken away, in lists to be done one after the other.

        Raises:
            VersionConflictError: what is to be made is for everyone, which every version has already.
        """
        return steps_in(self.validated_data, environment_id=environment_id, feature_id=feature_id)


class PublishSerializer(serializers.Serializer):
    """When a version is to go live: at once without a time."""

    live_from = serializers.DateTimeField(required=False, allow_null=True)


class VersionsQuery(QuerySerializer):
    is_live = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Those that are served or were, or the others.",
    )


def _place_in(given: dict[str, Any]) -> dict[str, Any]:
    place = given.get("feature_segment") or {}
    return {"segment_id": place.get("segment_id"), "priority": place.get("priority")}


def steps_in(given: Mapping[str, Any], *, environment_id: int, feature_id: int) -> list[list[Change]]:
    """Return what validated data makes, changes and takes away, in lists to be done one after the other.

    Raises:
        VersionConflictError: what is to be made is for everyone, which every version has already.
    """

    def changes_of(field: str, operation: Operation) -> list[Change]:
        return [
            Change(feature_id, environment_id, operation=operation, **_place_in(each), **changes_in(each))
            for each in given.get(field) or []
        ]

    created = changes_of("feature_states_to_create", Operation.CREATE)
    if any(change.segment_id is None for change in created):
        raise VersionConflictError("Cannot create FeatureState objects that are not segment overrides.")
    anew = {change.segment_id for change in created}
    removals = [
        Change(feature_id, environment_id, segment_id=segment_id, operation=Operation.REMOVE)
        for segment_id in sorted({*(given.get("segment_ids_to_delete_overrides") or [])})
    ]
    return [
        # What is to go and to be made is made anew.
        [change for change in removals if change.segment_id in anew],
        created,
        changes_of("feature_states_to_update", Operation.UPDATE),
        [change for change in removals if change.segment_id not in anew],
    ]

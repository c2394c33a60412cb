"""Change requests on the wire."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.fields import IdField, WholeItem
from core.queries import QuerySerializer
from workflows.models import Approval, ChangeKind, ChangeRequest, Comment, GroupAssignment, RequestedChange
from workflows.selectors import conflicts_of, is_approved
from workflows.serializers.changes import (
    ChangeSetSerializer,
    RequestedSegmentSerializer,
    RequestedStateSerializer,
    VersionReferenceField,
    shown_change_set,
    shown_segment,
    shown_state,
    shown_version,
)
from workflows.services.reviewers import Reviewers

_ANYTHING = {"type": "array", "items": {"type": "object", "additionalProperties": True}}


class ReviewerSerializer(WholeItem, serializers.ModelSerializer):
    """Somebody who is asked to approve; with a time, somebody who did."""

    user = IdField(source="user_id")

    class Meta:
        model = Approval
        fields = ["id", "user", "approved_at"]
        read_only_fields = ["approved_at"]


class ReviewingGroupSerializer(WholeItem, serializers.ModelSerializer):
    """A group whose members are asked to approve."""

    group = IdField(source="group_id")

    class Meta:
        model = GroupAssignment
        fields = ["id", "group"]


class NewRequestSerializer(serializers.Serializer):
    """What every request says. Keys that are only read are ignored: clients send back what they got."""

    title = serializers.CharField(max_length=500)
    description = serializers.CharField(max_length=20_000, required=False, allow_null=True, allow_blank=True)
    approvals = ReviewerSerializer(many=True, required=False)
    group_assignments = ReviewingGroupSerializer(many=True, required=False)
    ignore_conflicts = serializers.BooleanField(required=False)

    @property
    def words(self) -> dict[str, Any]:
        given = self.validated_data
        return {name: given[name] for name in ("title", "description", "ignore_conflicts") if name in given}

    @property
    def reviewers(self) -> Reviewers:
        given, asked = self.validated_data, Reviewers()
        if "approvals" in given:
            asked["user_ids"] = [each["user_id"] for each in given["approvals"]]
        if "group_assignments" in given:
            asked["group_ids"] = [each["group_id"] for each in given["group_assignments"]]
        return asked


class NewEnvironmentRequestSerializer(NewRequestSerializer):
    """A change of what features serve. Lists that are left out, or null, stay as they are."""

    feature_states = RequestedStateSerializer(many=True, required=False, allow_null=True)
    change_sets = ChangeSetSerializer(many=True, required=False, allow_null=True)
    environment_feature_versions = serializers.ListField(
        child=VersionReferenceField(), required=False, allow_null=True
    )


class NewProjectRequestSerializer(NewRequestSerializer):
    """A change of segments."""

    segments = RequestedSegmentSerializer(many=True, required=False, allow_null=True)


class ListedRequestSerializer(serializers.ModelSerializer):
    """A request, as in lists."""

    live_from = serializers.SerializerMethodField()
    environment_feature_versions = serializers.SerializerMethodField()

    class Meta:
        model = ChangeRequest
        fields = [
            "id",
            "created_at",
            "updated_at",
            "title",
            "description",
            "user",
            "committed_at",
            "committed_by",
            "deleted_at",
            "live_from",
            "environment_feature_versions",
            "ignore_conflicts",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_live_from(self, request: ChangeRequest) -> str | None:
        """Say when the first of what it changes takes effect."""
        moments = [each.live_from for each in live_changes(request) if each.live_from is not None]
        return serializers.DateTimeField().to_representation(min(moments)) if moments else None

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_environment_feature_versions(self, request: ChangeRequest) -> Any:
        return [str(each.version_id) for each in live_changes(request) if each.version_id is not None]


class RequestSerializer(ListedRequestSerializer):
    """A request with all that it changes, who approves it, and what stands in its way."""

    feature_states = serializers.SerializerMethodField()
    change_sets = serializers.SerializerMethodField()
    segments = serializers.SerializerMethodField()
    approvals = ReviewerSerializer(many=True, read_only=True)
    group_assignments = ReviewingGroupSerializer(many=True, read_only=True)
    is_approved = serializers.SerializerMethodField()
    is_committed = serializers.BooleanField(read_only=True)
    conflicts = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()

    class Meta(ListedRequestSerializer.Meta):
        fields = [
            *ListedRequestSerializer.Meta.fields,
            "project",
            "environment",
            "feature_states",
            "change_sets",
            "segments",
            "approvals",
            "group_assignments",
            "is_approved",
            "is_committed",
            "conflicts",
            "failure",
        ]
        read_only_fields = fields

    @extend_schema_field(RequestedStateSerializer(many=True))
    def get_feature_states(self, request: ChangeRequest) -> Any:
        return [shown_state(each) for each in _of_kind(request, ChangeKind.STATE)]

    @extend_schema_field(ChangeSetSerializer(many=True))
    def get_change_sets(self, request: ChangeRequest) -> Any:
        return [shown_change_set(each) for each in _of_kind(request, ChangeKind.CHANGE_SET)]

    @extend_schema_field(_ANYTHING)
    def get_environment_feature_versions(self, request: ChangeRequest) -> Any:
        return [shown_version(each) for each in _of_kind(request, ChangeKind.VERSION)]

    @extend_schema_field(_ANYTHING)
    def get_segments(self, request: ChangeRequest) -> Any:
        return [shown_segment(each) for each in _of_kind(request, ChangeKind.SEGMENT)]

    def get_is_approved(self, request: ChangeRequest) -> bool:
        return is_approved(request)

    @extend_schema_field(_ANYTHING)
    def get_conflicts(self, request: ChangeRequest) -> Any:
        return conflicts_of(request, live_changes(request))

    def get_failure(self, request: ChangeRequest) -> str | None:
        """Say why what was due was not carried out."""
        return next((each.reason for each in live_changes(request) if each.given_up_at is not None), None)


class CommentSerializer(serializers.ModelSerializer):
    """What somebody has said about a request: a user, or a master key, of which `key` is the name."""

    key = serializers.CharField(source="user_key_name", read_only=True)

    class Meta:
        model = Comment
        fields = ["id", "text", "created_at", "user", "key"]
        read_only_fields = ["created_at", "user"]


class RequestsQuery(QuerySerializer):
    """The parameters of a list of an environment's requests."""

    committed = serializers.BooleanField(required=False, allow_null=True, default=None)
    search = serializers.CharField(required=False, help_text="The title contains this.")
    feature_id = IdField(required=False)
    segment_id = IdField(required=False)
    live_from_after = serializers.DateTimeField(required=False, help_text="Some of it takes effect later.")


class ProjectRequestsQuery(QuerySerializer):
    """The parameters of a list of a project's requests."""

    committed = serializers.BooleanField(required=False, allow_null=True, default=None)
    search = serializers.CharField(required=False, help_text="The title contains this.")
    segment_id = IdField(required=False)


def live_changes(request: ChangeRequest) -> list[RequestedChange]:
    """Return what a request changes, as it was read with it."""
    changes = [each for each in request.changes.all() if each.deleted_at is None]
    for each in changes:
        each.change_request = request
    return sorted(changes, key=lambda each: each.pk)


def _of_kind(request: ChangeRequest, kind: ChangeKind) -> Iterable[RequestedChange]:
    return (each for each in live_changes(request) if each.kind == kind)

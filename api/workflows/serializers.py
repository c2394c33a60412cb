"""Change requests on the wire."""

from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.fields import IdField, WholeItem
from core.queries import QuerySerializer
from features.models.values import FlagValue, ValueType
from features.serializers.feature_states import AllocationSerializer, VersionStateSerializer
from features.serializers.values import TypedValueSerializer
from segments.rules import wanted_rules
from segments.serializers import RuleSerializer
from workflows.models import Approval, ChangeKind, ChangeRequest, GroupAssignment, RequestedChange
from workflows.selectors import conflicts_of, is_approved
from workflows.services.change_requests import Reviewers

_ANYTHING = {"type": "array", "items": {"type": "object", "additionalProperties": True}}


class RequestedStateSerializer(WholeItem):
    """What a feature is to serve to everyone or to a segment: that of its feature segment."""

    id = serializers.IntegerField(read_only=True)
    feature = IdField()
    feature_segment = IdField(required=False, allow_null=True)
    enabled = serializers.BooleanField(required=False)
    feature_state_value = TypedValueSerializer(source="*", required=False)
    multivariate_feature_state_values = AllocationSerializer(many=True, required=False)
    live_from = serializers.DateTimeField(required=False, allow_null=True)


class ChangeSetSerializer(WholeItem):
    """What of a feature is to be different, as for a new version."""

    id = serializers.IntegerField(read_only=True)
    feature = IdField()
    live_from = serializers.DateTimeField(required=False, allow_null=True)
    feature_states_to_update = serializers.ListField(
        child=VersionStateSerializer(), required=False, allow_null=True
    )
    feature_states_to_create = serializers.ListField(
        child=VersionStateSerializer(), required=False, allow_null=True
    )
    segment_ids_to_delete_overrides = serializers.ListField(child=IdField(), required=False, allow_null=True)


class VersionReferenceField(serializers.UUIDField):
    """A version by its uuid. As it is shown, with its states, will do, too."""

    def to_internal_value(self, data: Any) -> Any:
        uuid: Any = data.get("uuid") if isinstance(data, dict) else data
        return super().to_internal_value(uuid)


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


class RequestedSegmentSerializer(WholeItem):
    """What a segment, named by `version_of`, is to become. What is left out stays."""

    version_of = IdField()
    name = serializers.CharField(max_length=2000, required=False)
    description = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    feature = IdField(source="feature_id", required=False, allow_null=True)
    rules = RuleSerializer(source="root_rules", many=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if "root_rules" in attrs:
            attrs["rules"] = wanted_rules(attrs.pop("root_rules"))
        return attrs


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
        return [_shown_state(each) for each in _of_kind(request, ChangeKind.STATE)]

    @extend_schema_field(ChangeSetSerializer(many=True))
    def get_change_sets(self, request: ChangeRequest) -> Any:
        return [_shown_change_set(each) for each in _of_kind(request, ChangeKind.CHANGE_SET)]

    @extend_schema_field(_ANYTHING)
    def get_environment_feature_versions(self, request: ChangeRequest) -> Any:
        return [_shown_version(each) for each in _of_kind(request, ChangeKind.VERSION)]

    @extend_schema_field(_ANYTHING)
    def get_segments(self, request: ChangeRequest) -> Any:
        return [_shown_segment(each) for each in _of_kind(request, ChangeKind.SEGMENT)]

    def get_is_approved(self, request: ChangeRequest) -> bool:
        return is_approved(request)

    @extend_schema_field(_ANYTHING)
    def get_conflicts(self, request: ChangeRequest) -> Any:
        return conflicts_of(request, live_changes(request))

    def get_failure(self, request: ChangeRequest) -> str | None:
        """Say why what was due was not carried out."""
        return next((each.reason for each in live_changes(request) if each.given_up_at is not None), None)


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


def _shown_state(change: RequestedChange) -> dict[str, Any]:
    kept = change.content["steps"][0][0]
    return {
        "id": change.pk,
        "feature": change.feature_id,
        "feature_segment": change.content.get("feature_segment"),
        **_shown_properties(kept),
        "live_from": _shown_moment(change),
        "environment": change.change_request.environment_id,
        "change_request": change.change_request_id,
    }


def _shown_change_set(change: RequestedChange) -> dict[str, Any]:
    kept = [each for step in change.content["steps"] for each in step]

    def with_operation(operation: str) -> list[dict[str, Any]]:
        return [
            {"feature_segment": _shown_place(each), **_shown_properties(each)}
            for each in kept
            if each["operation"] == operation
        ]

    return {
        "id": change.pk,
        "feature": change.feature_id,
        "live_from": _shown_moment(change),
        "feature_states_to_update": with_operation("update"),
        "feature_states_to_create": with_operation("create"),
        "segment_ids_to_delete_overrides": [
            each["segment"] for each in kept if each["operation"] == "remove"
        ],
    }


def _shown_version(change: RequestedChange) -> dict[str, Any]:
    states = change.content["draft"].items()
    return {
        "uuid": str(change.version_id),
        "feature": change.feature_id,
        "feature_states": [
            {
                "feature_segment": None if target == "everyone" else {"segment": int(target)},
                **_shown_properties(state),
            }
            for target, state in states
        ],
        "live_from": _shown_moment(change),
    }


def _shown_segment(change: RequestedChange) -> dict[str, Any]:
    return {
        "id": change.pk,
        "project": change.change_request.project_id,
        "version_of": change.segment_id,
        **change.content,
    }


def _shown_place(kept: Mapping[str, Any]) -> dict[str, Any] | None:
    if kept["segment"] is None:
        return None
    return {"segment": kept["segment"], "priority": kept.get("priority")}


def _shown_properties(kept: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if "enabled" in kept:
        shown["enabled"] = kept["enabled"]
    if "value" in kept:
        shown["feature_state_value"] = _shown_value(kept["value"])
    if "allocations" in kept:
        shown["multivariate_feature_state_values"] = [
            {"multivariate_feature_option": option_id, "percentage_allocation": share}
            for option_id, share in kept["allocations"]
        ]
    return shown


def _shown_value(value: FlagValue) -> dict[str, Any]:
    columns: dict[str, Any] = dict.fromkeys(("string_value", "integer_value", "boolean_value"))
    if isinstance(value, bool):
        return {"type": ValueType.BOOLEAN.value, **columns, "boolean_value": value}
    if isinstance(value, int):
        return {"type": ValueType.INTEGER.value, **columns, "integer_value": value}
    return {"type": ValueType.STRING.value, **columns, "string_value": value}


def _shown_moment(change: RequestedChange) -> Any:
    return serializers.DateTimeField().to_representation(change.live_from) if change.live_from else None

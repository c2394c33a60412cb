"""What requests change, on the wire."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from core.fields import IdField, WholeItem
from features.models.values import FlagValue, ValueType
from features.serializers.feature_states import AllocationSerializer, VersionStateSerializer
from features.serializers.values import TypedValueSerializer
from features.services.change_sets import Operation
from segments.rules import wanted_rules
from segments.serializers import RuleSerializer
from workflows.content import EVERYONE, listed
from workflows.models import RequestedChange


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


def shown_state(change: RequestedChange) -> dict[str, Any]:
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


def shown_change_set(change: RequestedChange) -> dict[str, Any]:
    def states(operation: Operation) -> list[dict[str, Any]]:
        return [
            {"feature_segment": _shown_place(kept), **_shown_properties(kept)}
            for kept in listed(change.content, operation)
        ]

    return {
        "id": change.pk,
        "feature": change.feature_id,
        "live_from": _shown_moment(change),
        "feature_states_to_update": states(Operation.UPDATE),
        "feature_states_to_create": states(Operation.CREATE),
        "segment_ids_to_delete_overrides": [
            kept["segment"] for kept in listed(change.content, Operation.REMOVE)
        ],
    }


def shown_version(change: RequestedChange) -> dict[str, Any]:
    states = change.content["draft"].items()
    return {
        "uuid": str(change.version_id),
        "feature": change.feature_id,
        "feature_states": [
            {
                "feature_segment": None if target == EVERYONE else {"segment": int(target)},
                **_shown_properties(state),
            }
            for target, state in states
        ],
        "live_from": _shown_moment(change),
    }


def shown_segment(change: RequestedChange) -> dict[str, Any]:
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

"""Flags changed in a single call: for scripts, which know names and ids but no rows."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput
from environments.scope import InEnvironment
from features.models import Feature
from features.scope import permission_to_change, require_for
from features.selectors.feature_states import served_states
from features.serializers.flag_updates import (
    FlagUpdateSerializer,
    FlagUpdatesSerializer,
    OverrideRemovalSerializer,
)
from features.services.allocations import Allocation
from features.services.change_sets import UNCHANGED, Change, Operation, apply_change_set
from segments.models import Segment

UPDATE = permission_to_change(overrides_segment=False)

_REQUESTS_ONLY = (
    "This endpoint cannot be used when change requests are enabled. Use the change request workflow instead."
)


class UpdatesFlags(InEnvironment):
    """Reads a body, and makes a change set of it. One permission is enough, for segment overrides as well."""

    write_permission = UPDATE
    asks_per_feature = True

    def apply(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        if self.environment.minimum_change_request_approvals is not None:
            raise PermissionDenied(_REQUESTS_ONLY)
        feature = self.feature(body.validated_data["feature"])
        require_for(request.user, UPDATE, self.environment, feature.pk)
        changes = self.changes(feature, body.validated_data)
        self.check_segments(changes)
        apply_change_set(changes, author=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def changes(self, feature: Feature, given: dict[str, Any]) -> list[Change]:
        raise NotImplementedError

    def feature(self, given: dict[str, Any]) -> Feature:
        """Return the feature that a body names.

        Raises:
            InvalidInput: the project has none such.
        """
        features = Feature.objects.filter(project=self.environment.project)
        found: Feature | None = features.filter(**given).first()
        if found is None:
            raise InvalidInput([f"Feature '{next(iter(given.values()))}' not found in project"])
        return found

    def check_segments(self, changes: list[Change]) -> None:
        """Refuse segments that the project doesn't have.

        Raises:
            InvalidInput
        """
        named = {change.segment_id for change in changes if change.segment_id is not None}
        known = Segment.objects.filter(project=self.environment.project, pk__in=named)
        missing = named.difference(known.values_list("pk", flat=True))
        if missing:
            raise InvalidInput([f"Segment with id {min(missing)} not found in project"])


class UpdateFlagView(UpdatesFlags):
    serializer_class = FlagUpdateSerializer

    @extend_schema(operation_id="update_flag_v1", responses={204: None})
    def post(self, request: Request, **path: Any) -> Response:
        """Set a feature's default state in the environment, or its override for one segment."""
        return self.apply(request)

    def changes(self, feature: Feature, given: dict[str, Any]) -> list[Change]:
        segment = given.get("segment") or {}
        return [
            Change(
                feature.pk,
                self.environment.pk,
                segment_id=segment.get("id"),
                priority=segment.get("priority"),
                enabled=given["enabled"],
                value=given["value"]["value"],
            )
        ]


class UpdateFlagsView(UpdatesFlags):
    serializer_class = FlagUpdatesSerializer

    @extend_schema(operation_id="update_flag_v2", responses={204: None})
    def post(self, request: Request, **path: Any) -> Response:
        """Set a feature's default state in the environment and any of its segment overrides, all or none."""
        return self.apply(request)

    def changes(self, feature: Feature, given: dict[str, Any]) -> list[Change]:
        default = given.get("environment_default")
        overrides = given.get("segment_overrides") or []
        changes = [
            Change(
                feature.pk,
                self.environment.pk,
                segment_id=each["segment_id"],
                priority=each.get("priority"),
                enabled=each["enabled"],
                value=each["value"]["value"],
                allocations=tuple(
                    Allocation(share["multivariate_feature_option_id"], share["percentage_allocation"])
                    for share in each["multivariate_feature_state_values"]
                )
                if "multivariate_feature_state_values" in each
                else UNCHANGED,
            )
            for each in overrides
        ]
        if default:
            value = default["value"]["value"]
            changes.append(Change(feature.pk, self.environment.pk, enabled=default["enabled"], value=value))
        return changes


class DeleteSegmentOverrideView(UpdatesFlags):
    serializer_class = OverrideRemovalSerializer

    @extend_schema(operation_id="delete_segment_override", responses={204: None})
    def post(self, request: Request, **path: Any) -> Response:
        """Take back a feature's override for a segment."""
        return self.apply(request)

    def changes(self, feature: Feature, given: dict[str, Any]) -> list[Change]:
        segment_id = given["segment"]["id"]
        override = served_states().filter(
            feature=feature, environment=self.environment, feature_segment__segment=segment_id
        )
        if not override.exists():
            raise NotFound(f"Segment override for segment {segment_id} does not exist")
        return [Change(feature.pk, self.environment.pk, segment_id=segment_id, operation=Operation.REMOVE)]

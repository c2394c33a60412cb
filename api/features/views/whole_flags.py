"""A whole flag: what a feature serves in one environment, to everyone and to segments."""

from functools import cached_property
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import DomainError
from core.views import ManagedView
from environments.models import Environment
from environments.scope import environment_with
from features.models import Feature, MultivariateOption
from features.scope import may_for, permission_to_change
from features.serializers.whole_flags import FlagSerializer, described_override, described_state
from features.services.change_sets import Change, Operation, apply_change_set
from features.services.whole_flags import patch_flag, put_flag, states_by_segment
from permissions.access import may
from projects.approval import is_emergency, takes_requests_only

UPDATE = permission_to_change(overrides_segment=False)
OVERRIDE = permission_to_change(overrides_segment=True)


class ChangeRequestsEnabledError(DomainError):
    status_code = status.HTTP_409_CONFLICT
    code = "change_requests_enabled"

    def __init__(self) -> None:
        super().__init__("Cannot update flags in an environment with change requests enabled.")


class InFlag(ManagedView, GenericAPIView):
    """A view of one flag. Who may neither change nor look at it gets 404, as for one that doesn't exist."""

    permission_classes = [IsAuthenticated]
    serializer_class = FlagSerializer
    is_about_one = True

    @cached_property
    def environment(self) -> Environment:
        environment = environment_with(self.kwargs["environment_key"])
        if environment is None:
            raise NotFound
        return environment

    @cached_property
    def feature(self) -> Feature:
        """The flag's feature, once it is clear that the caller may see it.

        Raises:
            NotFound
        """
        features = Feature.objects.filter(pk=self.kwargs["feature_pk"], project=self.environment.project)
        feature: Feature | None = features.first()
        if feature is None:
            raise NotFound
        user = self.request.user
        self.held = {each for each in (UPDATE, OVERRIDE) if may_for(user, each, self.environment, feature.pk)}
        reads = self.request.method == "GET" and may(user, "VIEW_ENVIRONMENT", self.environment)
        if not self.held and not reads:
            raise NotFound
        return feature

    def written_row(self) -> Feature:
        return self.feature

    def check_may_write(self, *permissions: str) -> Feature:
        """Return the feature, of which the caller may change what takes these permissions.

        Raises:
            NotFound, PermissionDenied
            ChangeRequestsEnabledError: the environment takes changes by request only, and it is no emergency.
        """
        feature = self.feature
        if not self.held.issuperset(permissions):
            raise PermissionDenied
        if takes_requests_only(self.environment) and not is_emergency():
            raise ChangeRequestsEnabledError
        return feature

    def answer(self) -> Response:
        options = self.option_ids()
        default, overrides = states_by_segment(self.feature, self.environment)
        return Response(
            {
                "environment_default": described_state(default, options),
                "segment_overrides": [
                    described_override(segment_id, state, options) for segment_id, state in overrides.items()
                ],
            }
        )

    def option_ids(self) -> list[int]:
        options = MultivariateOption.objects.filter(feature=self.feature).order_by("pk")
        return list(options.values_list("pk", flat=True))


class FlagView(InFlag):
    @extend_schema(operation_id="get_flag", responses=FlagSerializer)
    def get(self, request: Request, **path: Any) -> Response:
        """Return what a feature serves in an environment."""
        return self.retrieve(request)

    def retrieve(self, request: Request, **path: Any) -> Response:
        return self.answer()

    @extend_schema(operation_id="replace_flag", responses=FlagSerializer)
    def put(self, request: Request, **path: Any) -> Response:
        """Replace what a feature serves: the parts that are given. Overrides that are left out go."""
        put_flag(self.feature, self.environment, self._wanted(request, replaces=True), author=request.user)
        return self.answer()

    @extend_schema(operation_id="patch_flag", responses=FlagSerializer)
    def patch(self, request: Request, **path: Any) -> Response:
        """Change what is given of what a feature serves."""
        patch_flag(self.feature, self.environment, self._wanted(request, replaces=False), author=request.user)
        return self.answer()

    def _wanted(self, request: Request, *, replaces: bool) -> Any:
        self.check_may_write()
        body = FlagSerializer(
            data=request.data, context={"options": set(self.option_ids()), "replaces": replaces}
        )
        body.is_valid(raise_exception=True)
        needed = {"environment_default": UPDATE, "segment_overrides": OVERRIDE}
        self.check_may_write(*(needed[part] for part in body.validated_data))
        return body.validated_data


class FlagOverrideView(InFlag):
    """A segment's override. It is read with its flag: `retrieve` is what `If-Match` is compared with."""

    def retrieve(self, request: Request, **path: Any) -> Response:
        segment_id = self.kwargs["segment_pk"]
        override = states_by_segment(self.feature, self.environment)[1].get(segment_id)
        if override is None:
            raise NotFound("Segment override not found.")
        return Response(described_override(segment_id, override, self.option_ids()))

    @extend_schema(operation_id="delete_flag_segment_override", responses=FlagSerializer)
    def delete(self, request: Request, **path: Any) -> Response:
        """Take back a segment's override, and return what is left."""
        feature = self.check_may_write(OVERRIDE)
        segment_id = self.kwargs["segment_pk"]
        if segment_id not in states_by_segment(feature, self.environment)[1]:
            raise NotFound("Segment override not found.")
        removal = Change(feature.pk, self.environment.pk, segment_id=segment_id, operation=Operation.REMOVE)
        apply_change_set([removal], author=request.user)
        return self.answer()

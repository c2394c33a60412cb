"""Versions of what a feature serves in one environment."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.pagination import ChosenPagination
from core.views import ManagedView
from environments.models import Environment
from environments.scope import InEnvironment
from features.exceptions import DefaultStateError, PublishedVersionError, VersionConflictError
from features.models import EnvironmentFeatureVersion, Feature, FeatureState
from features.models.version import gone_live
from features.scope import permission_to_change, require_for
from features.selectors.versions import states_of
from features.serializers.feature_states import VersionStateSerializer, changes_in
from features.serializers.versions import (
    NewVersionSerializer,
    PublishSerializer,
    VersionDetailSerializer,
    VersionSerializer,
    VersionsQuery,
)
from features.services.change_sets import Change, Operation, apply_to_version
from features.services.new_versions import create_version
from features.services.versioning import disable_versioning, enable_versioning
from features.services.versions import delete_version, publish_version
from permissions.access import may, require, within_reach
from permissions.catalogue import MEMBER
from permissions.scoped import ScopedView


class InVersionedFeature(ScopedView):
    """A view below one feature in one environment, which the path names by its number and not by its key."""

    read_permission = "VIEW_ENVIRONMENT"
    write_permission = permission_to_change(overrides_segment=False)
    asks_per_feature = True

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        _ = self.feature

    def surroundings(self) -> Iterator[Model]:
        yield self.environment

    @cached_property
    def environment(self) -> Environment:
        """The environment in the path, with its project.

        Raises:
            NotFound: there is none, or the caller may not look at it.
            PermissionDenied: the caller may not change what features serve in it.
        """
        environments: QuerySet[Environment] = Environment.objects.select_related("project")
        environment = environments.filter(
            pk=self.kwargs["environment_pk"], project__deleted_at__isnull=True
        ).first()
        user = self.request.user
        if environment is None or not may(user, MEMBER, environment):
            raise NotFound
        if self.reads and not may(user, "VIEW_PROJECT", environment.project):
            raise NotFound
        if not self.may_enter(environment):
            raise NotFound if self.reads else PermissionDenied
        return environment

    @cached_property
    def feature(self) -> Feature:
        """The feature in the path, of the environment's project, and one that the caller may change."""
        features = Feature.objects.filter(project=self.environment.project).select_related("project")
        feature: Feature = get_object_or_404(features, pk=self.kwargs["feature_pk"])
        if not self.reads:
            require_for(self.request.user, self.write_permission, self.environment, feature.pk)
        return feature

    @cached_property
    def versions(self) -> QuerySet[EnvironmentFeatureVersion]:
        versions: QuerySet[EnvironmentFeatureVersion] = EnvironmentFeatureVersion.objects.filter(
            environment=self.environment, feature=self.feature
        )
        return versions


@extend_schema_view(
    list=extend_schema(operation_id="list_environment_feature_versions", parameters=[VersionsQuery]),
    create=extend_schema(
        operation_id="create_environment_feature_version",
        request=NewVersionSerializer,
        responses={201: VersionSerializer},
    ),
    destroy=extend_schema(operation_id="delete_environment_feature_version"),
)
class FeatureVersionViewSet(
    InVersionedFeature,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """The versions of a feature in an environment, the newest first."""

    queryset = EnvironmentFeatureVersion.objects.all()
    lookup_value_converter = "uuid"
    lookup_url_kwarg = "version_uuid"
    pagination_class = ChosenPagination

    def get_serializer_class(self) -> Any:
        return NewVersionSerializer if self.action == "create" else VersionSerializer

    def get_queryset(self) -> QuerySet[EnvironmentFeatureVersion]:
        return self.versions

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        is_live = VersionsQuery.read(self.request)["is_live"]
        if is_live is None:
            return queryset
        return queryset.filter(gone_live()) if is_live else queryset.exclude(gone_live())

    def perform_create(self, serializer: Any) -> None:
        given = serializer.validated_data
        serializer.instance = create_version(
            self.environment,
            self.feature,
            author=self.request.user,
            changes=serializer.changes(environment_id=self.environment.pk, feature_id=self.feature.pk),
            description=given.get("description"),
            live_from=given.get("live_from"),
            publish=given.get("publish_immediately", False),
        )

    def perform_destroy(self, instance: EnvironmentFeatureVersion) -> None:
        delete_version(instance)

    @extend_schema(
        operation_id="publish_environment_feature_version",
        request=PublishSerializer,
        responses=PublishSerializer,
    )
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, **path: Any) -> Response:
        """Let SDKs have this version, now or from a later time on."""
        body = PublishSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        version = publish_version(
            self.get_object(), author=request.user, live_from=body.validated_data.get("live_from")
        )
        return Response(PublishSerializer(version).data)


@extend_schema_view(get=extend_schema(operation_id="get_environment_feature_version"))
class FeatureVersionView(ManagedView, generics.RetrieveAPIView):
    """One version, of whichever feature and environment."""

    permission_classes = [IsAuthenticated]
    serializer_class = VersionDetailSerializer
    queryset = EnvironmentFeatureVersion.objects.all()
    lookup_url_kwarg = "version_uuid"

    def get_queryset(self) -> QuerySet[EnvironmentFeatureVersion]:
        versions: QuerySet[EnvironmentFeatureVersion] = EnvironmentFeatureVersion.objects.select_related(
            "environment__project"
        )
        return within_reach(self.request.user, versions, "environment__project__organisation")

    def check_object_permissions(self, request: Request, obj: EnvironmentFeatureVersion) -> None:
        super().check_object_permissions(request, obj)
        require(request.user, "VIEW_ENVIRONMENT", obj.environment)


@extend_schema_view(
    list=extend_schema(operation_id="list_environment_feature_version_states"),
    create=extend_schema(operation_id="create_environment_feature_version_state"),
    update=extend_schema(operation_id="update_environment_feature_version_state"),
    partial_update=extend_schema(operation_id="patch_environment_feature_version_state"),
    destroy=extend_schema(operation_id="delete_environment_feature_version_state"),
)
class VersionStateViewSet(
    InVersionedFeature,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """What one version serves to everyone and to segments. It can be changed until it is published."""

    queryset = FeatureState.objects.all()
    serializer_class = VersionStateSerializer
    lookup_value_converter = "int"
    pagination_class = None

    @cached_property
    def version(self) -> EnvironmentFeatureVersion:
        version: EnvironmentFeatureVersion = get_object_or_404(self.versions, pk=self.kwargs["version_uuid"])
        if not self.reads and version.published:
            raise PublishedVersionError
        return version

    def get_queryset(self) -> QuerySet[FeatureState]:
        return states_of([self.version])

    def perform_create(self, serializer: Any) -> None:
        _ = self.version
        place = serializer.validated_data.get("feature_segment")
        if not place:
            raise VersionConflictError("Cannot create FeatureState objects that are not segment overrides.")
        serializer.instance = self._apply(Operation.CREATE, place["segment_id"], serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        serializer.instance = self._apply(
            Operation.UPDATE, _segment_id(serializer.instance), serializer.validated_data
        )

    def perform_destroy(self, instance: FeatureState) -> None:
        if instance.feature_segment is None:
            raise DefaultStateError
        self._apply(Operation.REMOVE, _segment_id(instance), {})

    def _apply(
        self, operation: Operation, segment_id: int | None, given: dict[str, Any]
    ) -> FeatureState | None:
        change = Change(
            self.feature.pk,
            self.environment.pk,
            segment_id=segment_id,
            operation=operation,
            priority=(given.get("feature_segment") or {}).get("priority"),
            **changes_in(given),
        )
        return next(iter(apply_to_version(self.version, [change], author=self.request.user)), None)


class EnableVersioningView(InEnvironment):
    @extend_schema(operation_id="enable_v2_versioning", request=None, responses={202: None})
    def post(self, request: Request, **path: Any) -> Response:
        """Let the environment's features change by versions, which are published at once."""
        enable_versioning(self.environment, author=request.user)
        return Response(status=status.HTTP_202_ACCEPTED)


class DisableVersioningView(InEnvironment):
    @extend_schema(operation_id="disable_v2_versioning", request=None, responses={202: None})
    def post(self, request: Request, **path: Any) -> Response:
        """Let the environment's features change state by state again. Drafts and former versions go."""
        disable_versioning(self.environment, author=request.user)
        return Response(status=status.HTTP_202_ACCEPTED)


def _segment_id(state: FeatureState) -> int | None:
    return state.feature_segment.segment_id if state.feature_segment else None

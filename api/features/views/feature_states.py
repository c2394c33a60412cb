"""What features serve: in one environment, to one identity, and everywhere at once."""

from functools import cached_property
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, mixins, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request

from core.errors import InvalidInput
from core.views import ManagedView
from environments.models import Environment
from environments.scope import InEnvironment
from features.exceptions import FeatureNotProvidedError, VersionedEnvironmentError
from features.models import Feature, FeatureSegment, FeatureState
from features.models.state import FOR_EVERYONE
from features.scope import permission_to_change, require_for
from features.selectors.feature_states import readable_states, served_states
from features.serializers.feature_states import (
    FeatureStateSerializer,
    ListedFeatureStateSerializer,
    NewFeatureStateSerializer,
    NewIdentityOverrideSerializer,
    NewTypedFeatureStateSerializer,
    StatesInEnvironmentQuery,
    StatesQuery,
    TypedFeatureStateSerializer,
)
from features.services.feature_states import (
    create_feature_state,
    remove_feature_state,
    update_feature_state,
)
from identities.models import Identity
from permissions.access import require, visible, within_reach

UPDATE = permission_to_change(overrides_segment=False)
OVERRIDE = permission_to_change(overrides_segment=True)
IDENTITY_OVERRIDE = Q(identity__isnull=False)


class WritesFeatureStates(ManagedView, viewsets.GenericViewSet):
    """Changing and deleting go the same way for all feature states."""

    def check_object_permissions(self, request: Request, obj: FeatureState) -> None:
        """Ask again as soon as the feature is known: a permission may be for features with certain tags."""
        super().check_object_permissions(request, obj)
        if request.method not in SAFE_METHODS:
            permission = permission_to_change(overrides_segment=obj.feature_segment_id is not None)
            require_for(request.user, permission, obj.environment, obj.feature_id)
            if obj.identity_id is None:
                refuse_where_versioned(obj.environment, obj)

    def perform_update(self, serializer: Any) -> None:
        serializer.instance = update_feature_state(
            serializer.instance, author=self.request.user, **serializer.changes
        )

    def perform_destroy(self, instance: FeatureState) -> None:
        remove_feature_state(instance, author=self.request.user)


class StatesOfEnvironment(InEnvironment, WritesFeatureStates, viewsets.ModelViewSet):
    """States of one environment, with raw values. A PUT changes only what it names, like a PATCH."""

    queryset = FeatureState.objects.all()
    write_permission = UPDATE
    asks_per_feature = True

    new_serializer_class: ClassVar[type[FeatureStateSerializer]]

    def get_serializer_class(self) -> type[FeatureStateSerializer]:
        if self.action == "create":
            return self.new_serializer_class
        return ListedFeatureStateSerializer if self.action == "list" else FeatureStateSerializer

    def get_queryset(self) -> QuerySet[FeatureState]:
        states = served_states() if self.action == "list" else readable_states()
        states = states.filter(environment=self.environment)
        # An identity's traits may be large, and aren't shown.
        return states.select_related("identity", "environment__project").defer("identity__traits")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        query = StatesInEnvironmentQuery.read(self.request)
        if "feature" in query:
            queryset = queryset.filter(feature=query["feature"])
        if "feature_name" in query:
            queryset = queryset.filter(feature__name=query["feature_name"])
        return queryset

    def feature_id(self, given: dict[str, Any]) -> int:
        """Return the id of the feature that was named, whose state the caller may set.

        Raises:
            FeatureNotProvidedError: none was named.
            PermissionDenied: it is of another project, or has none of the tags that the caller may change.
        """
        if "feature_id" not in given:
            raise FeatureNotProvidedError
        features = Feature.objects.filter(pk=given["feature_id"], project=self.environment.project)
        if not features.exists():
            raise PermissionDenied
        require_for(self.request.user, UPDATE, self.environment, given["feature_id"])
        return int(given["feature_id"])


@extend_schema_view(
    list=extend_schema(parameters=[StatesInEnvironmentQuery]), create=extend_schema(deprecated=True)
)
class EnvironmentFeatureStateViewSet(StatesOfEnvironment):
    """An environment's default states, and its identity overrides. Never segment overrides."""

    lookup_value_converter = "int"
    new_serializer_class = NewFeatureStateSerializer

    def get_queryset(self) -> QuerySet[FeatureState]:
        return super().get_queryset().filter(feature_segment__isnull=True)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        queryset = super().filter_queryset(queryset)
        if self.action != "list":
            return queryset
        overrides = "anyIdentity" in self.request.query_params
        return queryset.filter(IDENTITY_OVERRIDE if overrides else FOR_EVERYONE)

    def perform_create(self, serializer: Any) -> None:
        given = serializer.validated_data
        feature_id, identity_id = self.feature_id(given), self._identity_id(given)
        if identity_id is None:
            refuse_where_versioned(self.environment)
        serializer.instance = create_feature_state(
            feature_id=feature_id,
            environment_id=self.environment.pk,
            identity_id=identity_id,
            segment_id=self._segment_id(given),
            author=self.request.user,
            **serializer.changes,
        )

    def _identity_id(self, given: dict[str, Any]) -> int | None:
        if given.get("identity_id") is not None:
            return int(given["identity_id"])
        if "identifier" not in given:
            return None
        identities = Identity.objects.filter(environment=self.environment)
        identity = identities.with_identifier(given["identifier"]).first()
        if identity is None:
            raise InvalidInput({"non_field_errors": ["Invalid identifier"]})
        return int(identity.pk)

    def _segment_id(self, given: dict[str, Any]) -> int | None:
        if given.get("feature_segment_id") is None:
            return None
        require_for(self.request.user, OVERRIDE, self.environment, given["feature_id"])
        return segment_of(given["feature_segment_id"], self.environment.pk, given["feature_id"])


@extend_schema_view(list=extend_schema(parameters=[StatesInEnvironmentQuery]))
class IdentityFeatureStateViewSet(StatesOfEnvironment):
    """The overrides of one identity."""

    lookup_value_converter = "int"
    new_serializer_class = NewIdentityOverrideSerializer

    @cached_property
    def identity(self) -> Identity:
        return get_object_or_404(Identity, pk=self.kwargs["identity_pk"], environment=self.environment)

    def get_queryset(self) -> QuerySet[FeatureState]:
        return super().get_queryset().filter(identity=self.identity)

    def perform_create(self, serializer: Any) -> None:
        identity_id = self.identity.pk
        serializer.instance = create_feature_state(
            feature_id=self.feature_id(serializer.validated_data),
            environment_id=self.environment.pk,
            identity_id=identity_id,
            author=self.request.user,
            **serializer.changes,
        )


@extend_schema_view(
    list=extend_schema(operation_id="list_feature_states", parameters=[StatesQuery]),
    create=extend_schema(operation_id="create_feature_state"),
    update=extend_schema(operation_id="update_feature_state"),
    partial_update=extend_schema(operation_id="patch_feature_state"),
)
class FeatureStateViewSet(
    WritesFeatureStates,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
):
    """All states, wherever they apply, with typed values. A segment override is removed by its place."""

    permission_classes = [IsAuthenticated]
    lookup_value_converter = "int"
    queryset = FeatureState.objects.all()

    def get_serializer_class(self) -> type[TypedFeatureStateSerializer]:
        return NewTypedFeatureStateSerializer if self.action == "create" else TypedFeatureStateSerializer

    def get_queryset(self) -> QuerySet[FeatureState]:
        states = served_states() if self.action == "list" else readable_states()
        states = states.select_related("environment__project", "feature_segment")
        return within_reach(self.request.user, states, "environment__project__organisation")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        query = StatesQuery.read(self.request)
        require(self.request.user, "VIEW_ENVIRONMENT", environment_with(query["environment"]))
        return queryset.filter(**query)

    def perform_create(self, serializer: Any) -> None:
        given = serializer.validated_data
        overrides_segment = given.get("feature_segment_id") is not None
        environment = environment_with(given["environment_id"])
        permission = permission_to_change(overrides_segment=overrides_segment)
        require_for(self.request.user, permission, environment, given["feature_id"])
        if given.get("identity_id") is None:
            refuse_where_versioned(environment)
        serializer.instance = create_feature_state(
            feature_id=given["feature_id"],
            environment_id=environment.pk,
            identity_id=given.get("identity_id"),
            segment_id=(
                segment_of(given["feature_segment_id"], environment.pk, given["feature_id"])
                if overrides_segment
                else None
            ),
            author=self.request.user,
            **serializer.changes,
        )


@extend_schema_view(get=extend_schema(operation_id="get_feature_state_by_uuid"))
class FeatureStateByUuidView(ManagedView, generics.RetrieveAPIView):
    """A feature state of any project that the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = TypedFeatureStateSerializer
    lookup_field = "uuid"
    queryset = FeatureState.objects.all()

    def get_queryset(self) -> QuerySet[FeatureState]:
        return visible(self.request.user, readable_states(), "VIEW_PROJECT", "environment__project")


def refuse_where_versioned(
    environment: Environment, row: FeatureState | FeatureSegment | None = None
) -> None:
    """Refuse to change in place what is served in an environment that keeps versions.

    Args:
        row: what is to be changed; of a draft it may be, wherever it is named.

    Raises:
        VersionedEnvironmentError
    """
    version = row.environment_feature_version if row else None
    if environment.use_v2_feature_versioning and (version is None or version.published):
        raise VersionedEnvironmentError


def environment_with(environment_id: int) -> Environment:
    """Return the environment that a query or a body names by its id, with its project.

    Raises:
        PermissionDenied: there is none.
    """
    environments: QuerySet[Environment] = Environment.objects.select_related("project")
    environment = environments.filter(pk=environment_id, project__deleted_at__isnull=True).first()
    if environment is None:
        raise PermissionDenied
    return environment


def segment_of(feature_segment_id: int, environment_id: int, feature_id: int | None) -> int:
    """Return the segment of a feature segment that a body names.

    Raises:
        InvalidInput: it is of another environment or feature.
    """
    binding: FeatureSegment | None = FeatureSegment.objects.filter(
        pk=feature_segment_id, environment=environment_id
    ).first()
    if binding is None:
        raise InvalidInput({"non_field_errors": ["Feature Segment does not belong to environment."]})
    if binding.feature_id != feature_id:
        raise InvalidInput({"non_field_errors": ["Feature Segment does not belong to feature."]})
    return binding.segment_id

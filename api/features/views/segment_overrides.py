"""Segment overrides: their places in the order, and the way to make place and state at once."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput
from core.views import ManagedView
from environments.scope import InEnvironment
from features.models import Feature, FeatureSegment
from features.scope import permission_to_change, require_for
from features.serializers.feature_states import SegmentOverrideSerializer
from features.serializers.segment_overrides import (
    FeatureSegmentQuery,
    FeatureSegmentSerializer,
    KeptFeatureSegmentSerializer,
    NewFeatureSegmentSerializer,
    PrioritySerializer,
)
from features.services.feature_states import create_feature_state
from features.services.segment_overrides import (
    bind_segment,
    remove_segment_override,
    reorder_segment_overrides,
)
from features.views.feature_states import environment_with, refuse_where_versioned
from permissions.access import require, visible, within_reach

MANAGE = permission_to_change(overrides_segment=True)


@extend_schema_view(
    list=extend_schema(operation_id="list_feature_segments", parameters=[FeatureSegmentQuery]),
    create=extend_schema(operation_id="create_feature_segment"),
    retrieve=extend_schema(operation_id="get_feature_segment"),
    update=extend_schema(operation_id="update_feature_segment"),
    partial_update=extend_schema(operation_id="patch_feature_segment"),
    destroy=extend_schema(operation_id="delete_feature_segment"),
)
class FeatureSegmentViewSet(ManagedView, viewsets.ModelViewSet):
    """Which segments a feature has overrides for in an environment. The lowest priority wins."""

    permission_classes = [IsAuthenticated]
    lookup_value_converter = "int"
    queryset = FeatureSegment.objects.all()

    def get_serializer_class(self) -> Any:
        if self.action == "create":
            return NewFeatureSegmentSerializer
        return KeptFeatureSegmentSerializer if "update" in self.action else FeatureSegmentSerializer

    def get_queryset(self) -> QuerySet[FeatureSegment]:
        # Those of versions as well for whoever knows one by its id.
        served = FeatureSegment.objects.all()
        places = served if self.action == "list" else FeatureSegment.all_objects.undeleted()
        places = places.select_related(
            "segment", "feature__project", "environment__project", "environment_feature_version"
        )
        return within_reach(self.request.user, places, "environment__project__organisation")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        query = FeatureSegmentQuery.read(self.request)
        # For whoever may see the project: the dashboard reads the list before it knows of environments.
        require(self.request.user, "VIEW_PROJECT", environment_with(query["environment"]).project)
        return queryset.filter(**query)

    def check_object_permissions(self, request: Request, obj: FeatureSegment) -> None:
        super().check_object_permissions(request, obj)
        require_for(request.user, MANAGE, obj.environment, obj.feature_id)

    def perform_create(self, serializer: Any) -> None:
        given = serializer.validated_data
        environment = environment_with(given["environment_id"])
        require_for(self.request.user, MANAGE, environment, given["feature_id"])
        refuse_where_versioned(environment)
        serializer.instance = bind_segment(
            feature_id=given["feature_id"],
            segment_id=given["segment_id"],
            environment=environment,
            author=self.request.user,
        )

    def perform_update(self, serializer: Any) -> None:
        """Nothing of a feature segment can be changed here; its priority has an endpoint of its own."""

    def perform_destroy(self, instance: FeatureSegment) -> None:
        refuse_where_versioned(instance.environment, instance)
        remove_segment_override(instance, author=self.request.user)

    @extend_schema(
        operation_id="update_feature_segment_priorities",
        request=PrioritySerializer(many=True),
        responses=FeatureSegmentSerializer(many=True),
    )
    @action(detail=False, methods=["post"], url_path="update-priorities", pagination_class=None)
    def update_priorities(self, request: Request) -> Response:
        """Give segment overrides of one feature in one environment new priorities."""
        wanted = PrioritySerializer(data=request.data, many=True)
        wanted.is_valid(raise_exception=True)
        priorities = {each["id"]: each["priority"] for each in wanted.validated_data}
        if not priorities:
            return Response([])
        place = self._common_one(priorities)
        refuse_where_versioned(place.environment, place)
        reordered = reorder_segment_overrides(
            place.feature,
            place.environment,
            priorities,
            version=place.environment_feature_version,
            author=request.user,
        )
        return Response(FeatureSegmentSerializer(reordered, many=True).data)

    def _common_one(self, priorities: dict[int, int]) -> FeatureSegment:
        """Return one of the places that were named, when all are of one feature and environment."""
        named = list(self.get_queryset().filter(pk__in=priorities))
        if len(named) < len(priorities):
            raise InvalidInput({"non_field_errors": ["Some of the provided ids were not found."]})
        if len({(each.feature_id, each.environment_id) for each in named}) > 1:
            reason = "All feature segments must belong to the same feature & environment."
            raise InvalidInput({"non_field_errors": [reason]})
        if len({each.environment_feature_version_id for each in named}) > 1:
            reason = "All feature segments must be associated with the same environment feature version."
            raise InvalidInput({"non_field_errors": [reason]})
        require_for(self.request.user, MANAGE, named[0].environment, named[0].feature_id)
        return named[0]


@extend_schema_view(get=extend_schema(operation_id="get_feature_segment_by_uuid"))
class FeatureSegmentByUuidView(ManagedView, generics.RetrieveAPIView):
    """A feature segment of any project that the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = FeatureSegmentSerializer
    lookup_field = "uuid"
    queryset = FeatureSegment.objects.all()

    def get_queryset(self) -> QuerySet[FeatureSegment]:
        places: QuerySet[FeatureSegment] = FeatureSegment.all_objects.undeleted()
        return visible(
            self.request.user, places.select_related("segment"), "VIEW_PROJECT", "environment__project"
        )


class CreateSegmentOverrideView(InEnvironment):
    """Makes a segment override: its place and its state at once."""

    serializer_class = SegmentOverrideSerializer
    write_permission = MANAGE
    asks_per_feature = True
    hides_environment = True

    @extend_schema(operation_id="create_segment_override", responses={201: SegmentOverrideSerializer})
    def post(self, request: Request, **path: Any) -> Response:
        feature = get_object_or_404(
            Feature.objects.all(), pk=self.kwargs["feature_pk"], project=self.environment.project
        )
        require_for(request.user, MANAGE, self.environment, feature.pk)
        refuse_where_versioned(self.environment)
        serializer = SegmentOverrideSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        place = serializer.validated_data["feature_segment"]
        serializer.instance = create_feature_state(
            feature_id=feature.pk,
            environment_id=self.environment.pk,
            segment_id=place["segment_id"],
            priority=place.get("priority"),
            author=request.user,
            **serializer.changes,
        )
        return Response(serializer.data, status=status.HTTP_201_CREATED)

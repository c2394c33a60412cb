"""Where a segment is used. Here, since features stand above segments."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from core.pagination import ChosenPagination
from features.models import FeatureState
from features.selectors.feature_states import served_states
from features.serializers.feature_states import AssociatedFeatureSerializer, AssociatedFeaturesQuery
from features.serializers.segment_uses import SegmentUseSerializer
from projects.scope import InProject
from segments.models import Segment


class OfSegment(InProject):
    """A view of one segment of a project."""

    @cached_property
    def segment(self) -> Segment:
        segments: QuerySet[Segment] = Segment.objects.for_people().filter(project=self.project)
        return get_object_or_404(segments, pk=self.kwargs["segment_pk"])


class AssociatedFeaturesView(OfSegment, generics.ListAPIView):
    """The feature states that override for a segment."""

    serializer_class = AssociatedFeatureSerializer
    pagination_class = ChosenPagination
    queryset = FeatureState.objects.all()

    @extend_schema(
        operation_id="list_project_segment_associated_features", parameters=[AssociatedFeaturesQuery]
    )
    def get(self, request: Request, *args: Any, **path: Any) -> Response:
        return super().get(request, *args, **path)

    def get_queryset(self) -> QuerySet[FeatureState]:
        return overrides_for(self.segment).filter(**AssociatedFeaturesQuery.read(self.request))


class WhereUsedView(OfSegment, generics.ListAPIView):
    """Where a segment is used: each feature that is overridden for it, in each environment, with its place.

    Flagsmith's API has no such endpoint. Whoever wants to change or delete a segment sees here whom that
    concerns.
    """

    serializer_class = SegmentUseSerializer
    pagination_class = None
    queryset = FeatureState.objects.all()

    @extend_schema(operation_id="list_project_segment_uses")
    def get(self, request: Request, *args: Any, **path: Any) -> Response:
        return super().get(request, *args, **path)

    def get_queryset(self) -> QuerySet[FeatureState]:
        states = overrides_for(self.segment).select_related("feature", "environment", "feature_segment")
        return states.order_by("environment_id", "feature__name", "pk")


def overrides_for(segment: Segment) -> QuerySet[FeatureState]:
    """Return what is served to a segment, of features and in environments that are still there."""
    return (
        served_states()
        .filter(
            feature_segment__segment=segment,
            feature__deleted_at__isnull=True,
            environment__deleted_at__isnull=True,
        )
        .prefetch_related(None)
    )

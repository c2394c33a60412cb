"""Where a segment is used. Here, since features stand above segments."""

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
from projects.scope import InProject
from segments.models import Segment


class AssociatedFeaturesView(InProject, generics.ListAPIView):
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
        segment = get_object_or_404(Segment.objects.all(), pk=self.kwargs["segment_pk"], project=self.project)
        states = served_states().filter(feature_segment__segment=segment).prefetch_related(None)
        return states.filter(**AssociatedFeaturesQuery.read(self.request))

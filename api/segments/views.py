"""A project's segments."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.moments import one_moment
from core.pagination import ChosenPagination
from core.views import ManagedView
from permissions.access import visible
from projects.scope import InProject
from segments.models import Segment
from segments.selectors import described_segment, described_segments
from segments.serializers import NameSerializer, SegmentQuery, SegmentSerializer
from segments.services import clone_segment, create_segment, delete_segment, update_segment


@extend_schema_view(list=extend_schema(parameters=[SegmentQuery]))
class SegmentViewSet(InProject, viewsets.ModelViewSet):
    """The segments of a project.

    `documents` has a subclass of it that stands at the routes, because it can also tell who is in a segment.
    """

    queryset = Segment.objects.all()
    serializer_class = SegmentSerializer
    pagination_class = ChosenPagination
    lookup_value_converter = "int"
    write_permission = "MANAGE_SEGMENTS"

    def get_queryset(self) -> QuerySet[Segment]:
        return described_segments().filter(project=self.project)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        query = SegmentQuery.read(self.request)
        if "q" in query:
            queryset = queryset.filter(name__icontains=query["q"])
        if query.get("include_feature_specific") is False:
            queryset = queryset.filter(feature__isnull=True)
        return queryset

    def list(self, request: Request, *args: Any, **path: Any) -> Response:
        with one_moment():
            return super().list(request, *args, **path)

    def get_object(self) -> Segment:
        with one_moment():
            segment: Segment = super().get_object()
            return segment

    def perform_create(self, serializer: Any) -> None:
        segment = create_segment(self.project, author=self.request.user, **serializer.validated_data)
        serializer.instance = described_segment(segment)

    def perform_update(self, serializer: Any) -> None:
        segment = update_segment(serializer.instance, author=self.request.user, **serializer.validated_data)
        serializer.instance = described_segment(segment)

    def perform_destroy(self, instance: Segment) -> None:
        delete_segment(instance, author=self.request.user)

    @extend_schema(
        operation_id="clone_project_segment", request=NameSerializer, responses={201: SegmentSerializer}
    )
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, **path: Any) -> Response:
        """Create a segment with the same rules under another name."""
        wanted = NameSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        copy = clone_segment(self.get_object(), author=request.user, **wanted.validated_data)
        shown = SegmentSerializer(described_segment(copy))
        return Response(shown.data, status=status.HTTP_201_CREATED)


@extend_schema_view(get=extend_schema(operation_id="get_segment_by_uuid"))
class SegmentByUuidView(ManagedView, generics.RetrieveAPIView):
    """A segment of any project that the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = SegmentSerializer
    lookup_field = "uuid"
    queryset = Segment.objects.all()

    def get_queryset(self) -> QuerySet[Segment]:
        return visible(self.request.user, described_segments(), "VIEW_PROJECT", "project")

    def get_object(self) -> Segment:
        with one_moment():
            segment: Segment = super().get_object()
            return segment

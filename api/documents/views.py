"""Views of what lies below that have to evaluate."""

from typing import Any

from django.db.models import QuerySet

from documents.memberships import segments_matching
from identities.models import Identity
from segments.serializers import SegmentQuery
from segments.views import SegmentViewSet


class EvaluatingSegmentViewSet(SegmentViewSet):
    """The segments of a project, and those that an identity is in."""

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        queryset = super().filter_queryset(queryset)
        if self.action != "list" or (number := SegmentQuery.read(self.request).get("identity")) is None:
            return queryset
        identity = Identity.objects.filter(pk=number, environment__project=self.project).first()
        return queryset.filter(pk__in=segments_matching(identity) if identity else [])

"""Reading segments."""

from django.db.models import QuerySet

from segments.models import Segment


def described_segments() -> QuerySet[Segment]:
    """Segments with all that is shown of them, in four queries whatever their number."""
    segments: QuerySet[Segment] = Segment.objects.select_related("project")
    return segments.prefetch_related("rules__conditions", "metadata")

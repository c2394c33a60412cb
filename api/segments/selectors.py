"""Reading segments."""

from django.db.models import QuerySet

from core.moments import one_moment
from segments.models import Segment


def described_segments() -> QuerySet[Segment]:
    """Segments that people see, with all that is shown of them, in four queries whatever their number.

    To be read inside `one_moment`: otherwise a segment whose rules somebody replaces between two of the
    queries would be shown with half of them.
    """
    segments: QuerySet[Segment] = Segment.objects.for_people().select_related("project")
    return segments.prefetch_related("rules__conditions", "metadata")


def described_segment(segment: Segment) -> Segment:
    """Return one segment anew, with all that is shown of it."""
    with one_moment():
        return described_segments().get(pk=segment.pk)

"""Segments for tests."""

from itertools import count
from typing import Any

from projects.models import Project
from segments.models import Condition, Operator, RuleType, Segment, SegmentRule

_numbers = count(1)


def make_segment(project: Project, *, country: str = "FR", **fields: Any) -> Segment:
    """Make a segment of those whose trait `country` is the one given."""
    segment = Segment.objects.create(project=project, **{"name": f"segment {next(_numbers)}", **fields})
    root = SegmentRule.objects.create(segment=segment, type=RuleType.ALL)
    nested = SegmentRule.objects.create(segment=segment, parent=root, type=RuleType.ANY)
    Condition.objects.create(rule=nested, operator=Operator.EQUAL, property="country", value=country)
    return segment

"""Rows that belong to one of several kinds of holder."""

from functools import reduce
from operator import or_

from django.db.models import Q


def exactly_one(*names: str) -> Q:
    """Return the condition that one of these columns has a value, and the others none."""
    return reduce(or_, (Q(**{f"{each}__isnull": each != chosen for each in names}) for chosen in names))

"""Pages of lists (the Flagsmith management contract, "Lists"): 999 items unless the caller asks for fewer."""

from typing import Any

from django.core.paginator import Page, Paginator
from rest_framework.pagination import PageNumberPagination


class DefaultPagination(PageNumberPagination):
    """`?page=2`: `{"count", "next", "previous", "results"}`."""

    page_size = 999


class ChosenPagination(DefaultPagination):
    """Besides, `?page_size=20`; larger than 999 is capped."""

    page_size_query_param = "page_size"
    max_page_size = 999


class LatePaginator(Paginator):
    """Finds the rows of a page by their ids, and describes only those.

    What a queryset computes for each row, PostgreSQL would compute for the rows of all pages before, too.
    """

    def page(self, number: int | str) -> Page:
        valid = self.validate_number(number)
        first = (valid - 1) * self.per_page
        rows: Any = self.object_list
        ids = list(rows.values_list("pk", flat=True)[first : first + self.per_page])
        return Page(rows.filter(pk__in=ids), valid, self)


class LateChosenPagination(ChosenPagination):
    """For lists whose rows take long to describe."""

    django_paginator_class = LatePaginator

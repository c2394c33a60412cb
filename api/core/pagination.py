"""Pages of lists (the Flagsmith management contract, "Lists"): 999 items unless the caller asks for fewer."""

from rest_framework.pagination import PageNumberPagination


class DefaultPagination(PageNumberPagination):
    """`?page=2`: `{"count", "next", "previous", "results"}`."""

    page_size = 999


class ChosenPagination(DefaultPagination):
    """Besides, `?page_size=20`; larger than 999 is capped."""

    page_size_query_param = "page_size"
    max_page_size = 999

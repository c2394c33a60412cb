import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from core.pagination import ChosenPagination, DefaultPagination


@pytest.mark.parametrize(
    ("pagination", "query", "length"),
    [
        (DefaultPagination, {}, 999),
        (DefaultPagination, {"page_size": "2"}, 999),
        (DefaultPagination, {"page": "2"}, 2),
        (ChosenPagination, {}, 999),
        (ChosenPagination, {"page_size": "2"}, 2),
        (ChosenPagination, {"page_size": "1000"}, 999),
        (ChosenPagination, {"page_size": "-1"}, 999),
    ],
)
def test_a_page_has_999_items_unless_fewer_may_be_asked_for_and_are(pagination, query, length):
    request = Request(APIRequestFactory().get("/", query))

    assert len(pagination().paginate_queryset(range(1001), request)) == length

"""Pages of an environment's identities, of which there may be millions.

Numbers of pages and a count, as clients of Flagsmith's API know them, and no page has to cost what stands
before it: the links to the next and the previous page carry a `cursor` that says between which identities
to go on. Who asks for a page by its number alone gets it by counting entries of the index, from the nearer
end.
"""

import base64
import binascii
from datetime import datetime
from math import ceil
from typing import Any, NamedTuple, Self

from django.db.models import Q, QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from core.fields import INT32_MAX, INT64_MAX
from core.pagination import ChosenPagination
from identities.models import Identity
from identities.selectors import number_of_identities

_IN_ORDER = ("created_date", "pk")
_BACKWARDS = ("-created_date", "-pk")


class Position(NamedTuple):
    """Where a page begins or ends: right after one identity, or right before one.

    Attributes:
        page: the page's number, for those who count.
    """

    page: int
    is_after: bool
    created_date: datetime
    identity_id: int

    def __str__(self) -> str:
        side = "after" if self.is_after else "before"
        text = f"{self.page} {side} {self.created_date.isoformat()} {self.identity_id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises ValidationError: this is none."""
        try:
            decoded = base64.urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}").decode()
            page, side, created_date, identity_id = decoded.split(" ")
            read = cls(int(page), side == "after", datetime.fromisoformat(created_date), int(identity_id))
        except (ValueError, binascii.Error) as error:
            raise ValidationError({"cursor": ["This isn't a cursor of this list."]}) from error
        if read.created_date.tzinfo is None or not (
            0 < read.page <= INT32_MAX and 0 < read.identity_id <= INT64_MAX
        ):
            raise ValidationError({"cursor": ["This isn't a cursor of this list."]})
        return read

    @property
    def beyond(self) -> Q:
        """The condition that an identity stands behind this, in the direction of the page."""
        # The first half is one range of the index; the second only sorts out those of the same instant.
        if self.is_after:
            range_, rest = Q(created_date__gte=self.created_date), Q(created_date__gt=self.created_date)
            return range_ & (rest | Q(pk__gt=self.identity_id))
        range_, rest = Q(created_date__lte=self.created_date), Q(created_date__lt=self.created_date)
        return range_ & (rest | Q(pk__lt=self.identity_id))


class IdentityPagination(ChosenPagination):
    """`?page=2&page_size=20`, and `cursor`, which the links carry."""

    cursor_query_param = "cursor"

    request: Request
    count: int
    number: int
    items: list[Identity]
    has_next: bool
    has_previous: bool

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Identity], request: Request, view: Any = None
    ) -> list[Identity]:
        """Return the page that the request asks for.

        Args:
            queryset: all identities of the view's environment.

        Raises:
            NotFound: there is no such page.
            ValidationError: the cursor is none of this list.
        """
        self.request = request
        self.size = self.get_page_size(request) or self.page_size
        self.count = number_of_identities(view.environment)
        position = self._position()
        if position is None:
            self._turn_to_number(queryset)
        else:
            self._go_on_from(position, queryset)
        return self.items

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "count": self.count,
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
                "results": data,
            }
        )

    def get_next_link(self) -> str | None:
        return self._link(self.number + 1, self.items[-1:], is_after=True) if self.has_next else None

    def get_previous_link(self) -> str | None:
        if not self.has_previous:
            return None
        return self._link(max(self.number - 1, 1), self.items[:1], is_after=False)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        cursor = {
            "name": self.cursor_query_param,
            "required": False,
            "in": "query",
            "description": "Where a link of another page goes on.",
            "schema": {"type": "string"},
        }
        return [*super().get_schema_operation_parameters(view), cursor]

    def _position(self) -> Position | None:
        text = self.request.query_params.get(self.cursor_query_param)
        if not text:
            return None
        position = Position.read(text)
        page = self.request.query_params.get(self.page_query_param)
        # Who took a link and put another number into it means the number.
        return position if page in (None, "", str(position.page)) else None

    def _turn_to_number(self, identities: QuerySet[Identity]) -> None:
        pages = max(ceil(self.count / self.size), 1)
        self.number = _page_asked_for(self, self.request, pages)
        before = (self.number - 1) * self.size
        length = min(self.size, max(self.count - before, 0))
        after = self.count - before - length
        if before <= after:
            self.items = _rows(identities.order_by(*_IN_ORDER), before, self.size)
        else:
            self.items = _rows(identities.order_by(*_BACKWARDS), after, length)[::-1]
        self.has_previous = self.number > 1
        self.has_next = self.number < pages

    def _go_on_from(self, position: Position, identities: QuerySet[Identity]) -> None:
        order = _IN_ORDER if position.is_after else _BACKWARDS
        found = list(identities.filter(position.beyond).order_by(*order)[: self.size + 1])
        has_more = len(found) > self.size
        self.items = found[: self.size] if position.is_after else found[: self.size][::-1]
        self.number = position.page
        # On the side that it came from stands at least what the cursor names.
        self.has_next = has_more if position.is_after else True
        self.has_previous = True if position.is_after else has_more

    def _link(self, number: int, at: list[Identity], *, is_after: bool) -> str:
        url = replace_query_param(self.request.build_absolute_uri(), self.page_query_param, number)
        if not at:  # they have gone meanwhile: there is nothing to go on from
            return str(remove_query_param(url, self.cursor_query_param))
        position = Position(number, is_after, at[0].created_date, at[0].pk)
        return str(replace_query_param(url, self.cursor_query_param, str(position)))


class FoundPagination(IdentityPagination):
    """Pages of what a search has found. They are counted only where there is more than one."""

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Identity], request: Request, view: Any = None
    ) -> list[Identity]:
        self.request = request
        self.size = self.get_page_size(request) or self.page_size
        self.number = _page_asked_for(self, request, INT32_MAX)
        start = (self.number - 1) * self.size
        found = list(queryset[start : start + self.size + 1])
        if start and not found:
            raise NotFound("Invalid page.")
        self.items = found[: self.size]
        self.has_next = len(found) > self.size
        self.has_previous = self.number > 1
        self.count = queryset.count() if self.has_next else start + len(found)
        return self.items

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return ChosenPagination.get_schema_operation_parameters(self, view)

    def _link(self, number: int, at: list[Identity], *, is_after: bool) -> str:
        return super()._link(number, [], is_after=is_after)


def _page_asked_for(pagination: IdentityPagination, request: Request, pages: int) -> int:
    """Return the number of the page in a request.

    Raises:
        NotFound: there is no page of this number.
    """
    text = request.query_params.get(pagination.page_query_param) or "1"
    if text in pagination.last_page_strings and pages < INT32_MAX:
        return pages
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= pages):
        raise NotFound("Invalid page.")
    return int(text)


def _rows(identities: QuerySet[Identity], start: int, length: int) -> list[Identity]:
    """Return a slice. Up to where it begins only the index is walked."""
    if not start:
        return list(identities[:length])
    ids = list(identities.values_list("pk", flat=True)[start : start + length])
    found = identities.order_by().in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]

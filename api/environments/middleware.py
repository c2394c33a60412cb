"""Tells whoever changes something at which revision SDKs will see it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core.idempotency import also_keep
from environments.revisions import REVISION_HEADER, as_header, forget_published, published_revisions

_READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# More would make a header that proxies refuse.
_MOST_NAMED = 100


class PublishedRevisionsMiddleware:
    """Puts the revisions that a request has raised into its answer, at no cost of a query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in _READING:
            return self.get_response(request)
        forget_published()
        response = self.get_response(request)
        published = published_revisions()
        if published and len(published) <= _MOST_NAMED:
            response[REVISION_HEADER] = as_header(published)
            also_keep(request, REVISION_HEADER, response[REVISION_HEADER])
        return response

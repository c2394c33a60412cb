"""What Django tells the log of a request, and the client of it: the request's id."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse

from core.asgi.django_door import SCOPE
from core.asgi.types import Scope
from core.logs import context
from core.logs.access import VIEW
from core.middleware import REHEARSAL

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"


class RequestIdMiddleware:
    """The outermost: while a request is at hand, log lines are about it, and its answer says their id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        got_request_exception.connect(_tell, dispatch_uid=__name__)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if REHEARSAL in request.META:  # what is remembered of it is for many requests
            return self.get_response(request)
        scope = scope_of(request)
        token = context.current.set(scope)
        try:
            response = self.get_response(request)
        finally:
            context.current.reset(token)
        response[HEADER] = context.request_id_of(scope)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        scope_of(request)[VIEW] = view


def _tell(**_: Any) -> None:
    """Log what nobody has caught, in a view or in middleware, where Django would have logged it itself."""
    if settings.DISABLE_FRAMEWORK_LOGS:
        logger.exception("A request failed.")


def scope_of(request: HttpRequest) -> Scope:
    """Return the scope of a request, or what stands in for one where no server of ours has made it."""
    scope: Scope | None = request.META.get(SCOPE)
    if scope is None:
        scope = request.META[SCOPE] = context.scope_of_environ(request.META)
    return scope

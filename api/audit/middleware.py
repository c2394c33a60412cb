"""Tells the history who is behind what a request writes."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject, empty

from core.causes import Cause, caused_by
from core.logs.context import request_id_of
from core.logs.middleware import scope_of
from permissions.actors import Machine

EMERGENCY_HEADER = "X-Burgee-Break-Glass"
_LONGEST_REASON = 500


class CauseMiddleware:
    """Whoever has signed in by the time that something is written is who it was."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with caused_by(partial(_cause_of, request)):
            return self.get_response(request)


def _cause_of(request: HttpRequest) -> Cause | None:
    """Return whom the view, or the admin, knows the request to be of. To ask itself would cost queries."""
    user = getattr(request, "user", None)
    if isinstance(user, LazyObject) and user.__dict__["_wrapped"] is empty:
        return None
    match = request.resolver_match
    source = "admin" if match and "admin" in match.app_names else "api"
    if isinstance(user, Machine):
        return Cause(
            user.name,
            source,
            master_key_id=user.key_id,
            request_id=_id_of(request),
            emergency=_emergency_of(request),
        )
    if user is None or not user.is_authenticated or user.pk is None:
        return None
    return Cause(
        str(user),
        source,
        user_id=user.pk,
        request_id=_id_of(request),
        emergency=_emergency_of(request),
    )


def _id_of(request: HttpRequest) -> str:
    """Return the id that log lines and the answer say, too."""
    return request_id_of(scope_of(request))


def _emergency_of(request: HttpRequest) -> str:
    """Return why the caller wants to do without approval. Headers are Latin-1; reasons are in UTF-8."""
    given = request.headers.get(EMERGENCY_HEADER, "").encode("latin-1", "replace").decode("utf-8", "replace")
    return " ".join(given.replace("\0", "").split())[:_LONGEST_REASON]

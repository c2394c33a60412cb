"""The request at hand: what log lines, the history and answers say of it.

Nothing is worked out before somebody asks, so that the lane, which seldom writes a line, pays nothing.
"""

import re
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from core.asgi.types import Scope
from core.masking import masked, masked_path, masked_query

HEADER = b"x-request-id"
# In a scope: what was found out, so that it is the same for all who ask.
_REQUEST_ID, _TRACE_ID = "burgee.request_id", "burgee.trace_id"

# The scope of the request that this task or thread works on.
current: ContextVar[Scope | None] = ContextVar("request at hand", default=None)

_VALID_ID = re.compile(r"[\w.:/+=@~-]{1,64}", re.ASCII)
# A future version may have more parts: https://www.w3.org/TR/trace-context/#versioning-of-traceparent
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)


def request_id_of(scope: Scope) -> str:
    """Return the id that a proxy or client gave the request, if a log can take it; else one of its own."""
    known: str | None = scope.get(_REQUEST_ID)
    if known is None:
        known = scope[_REQUEST_ID] = _valid(_header(scope, HEADER)) or uuid4().hex
    return known


def given_request_id(value: bytes) -> str:
    """Return the id that a header's value brings; empty where it isn't fit for a log."""
    return _valid(value.decode("latin-1"))


def trace_id_of(scope: Scope) -> str:
    """Return the id of the W3C trace that the request belongs to; empty where it belongs to none."""
    known: str | None = scope.get(_TRACE_ID)
    if known is None:
        found = _TRACEPARENT.fullmatch(_header(scope, b"traceparent").strip())
        known = scope[_TRACE_ID] = found[1] if found else ""
    return known


def belongs_to_trace(scope: Scope, trace_id: str) -> None:
    """Note which trace the request has become part of."""
    scope[_TRACE_ID] = trace_id


def traceparent_of(scope: Scope) -> str:
    """Return the header as it came, where it can be passed on; else an empty text."""
    given = _header(scope, b"traceparent").strip()
    return given if _TRACEPARENT.fullmatch(given) else ""


def facts(scope: Scope) -> dict[str, str]:
    """Return what a line says of the request: nothing that opens something."""
    return {
        "method": scope["method"],
        "path": masked_path(scope["path"]),
        "parameters": masked_query(scope["query_string"].decode("latin-1")),
        "request_id": request_id_of(scope),
        "trace_id": trace_id_of(scope),
    }


def scope_of_environ(environ: dict[str, Any]) -> Scope:
    """Return what is asked above of a request that came by WSGI alone."""
    headers = [
        (name, environ[variable].encode("latin-1", "replace"))
        for name, variable in ((HEADER, "HTTP_X_REQUEST_ID"), (b"traceparent", "HTTP_TRACEPARENT"))
        if variable in environ
    ]
    path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace")
    return {
        "method": environ.get("REQUEST_METHOD", ""),
        "path": path,
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
        "headers": headers,
    }


def _valid(given: str) -> str:
    # A key in the wrong header is still a key.
    return given if _VALID_ID.fullmatch(given) and masked(given) == given else ""


def _header(scope: Scope, wanted: bytes) -> str:
    for name, value in scope["headers"]:
        if name == wanted:
            text: str = value.decode("latin-1")
            return text
    return ""

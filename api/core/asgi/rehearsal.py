"""What Django's middleware says about a request, learnt once, for those who answer without Django.

Which hosts are served, whether plain HTTP is redirected, what browsers of which origin may read, the
security headers: all this is settings that middleware turns into answers and headers. It isn't done a second
time beside Django. Instead the real middleware is asked, around a view that answers nothing, and what it made
of that is remembered for requests that look the same to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIApplication

from django.conf import settings

from core.asgi.protocol import lines_of
from core.asgi.request import Request
from core.asgi.types import Headers, Scope
from core.middleware import REHEARSAL

Pairs = tuple[tuple[bytes, bytes], ...]
# The headers of a view's own; a rehearsal gives them to the middleware to add to.
OfView = tuple[tuple[str, str], ...]

# What the middleware depends on. Others, such as cookies, matter to views only.
_NAMES = (b"host", b"origin")
_NAMES_OF_PREFLIGHTS = (
    b"access-control-request-method",
    b"access-control-request-headers",
    b"access-control-request-private-network",
)
_SENT_ANEW = frozenset({b"content-length", b"content-type"})
_MOST_REMEMBERED = 4096
# Nobody's host or origin is longer, and what is remembered must not grow with what is sent.
_LONGEST_VALUE = 300


class Common:
    """The headers that all answers to requests of one kind have in common; compared by identity."""

    __slots__ = ("lines", "pairs")

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self.lines = lines_of(pairs)


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a browser is answered that asks what it may send. There is no body."""

    status: int
    headers: Pairs


class Rehearsals:
    """Remembers what the middleware adds.

    Args:
        application: Django.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        forwarded = [
            (settings.USE_X_FORWARDED_HOST, "HTTP_X_FORWARDED_HOST"),
            (settings.USE_X_FORWARDED_PORT, "HTTP_X_FORWARDED_PORT"),
            (settings.SECURE_PROXY_SSL_HEADER, (settings.SECURE_PROXY_SSL_HEADER or [""])[0]),
        ]
        self._names = _NAMES + tuple(
            name.removeprefix("HTTP_").replace("_", "-").lower().encode()
            for is_read, name in forwarded
            if is_read
        )
        self._known: dict[tuple[Any, ...], Common | None] = {}
        self._preflights: dict[tuple[Any, ...], Preflight | None] = {}

    def common(self, request: Request, of_view: OfView, *, path: str | None = None) -> Common | None:
        """Return what an answer to this request has to have; None: Django itself has to answer it.

        Args:
            of_view: what the view would add itself.
            path: one that stands for the request's, where there are many that are served alike.
        """
        scope, headers = request.scope, request.headers
        path = path or scope["path"]
        seen = (path, scope["scheme"], of_view, *map(headers.get, self._names))
        try:
            return self._known[seen]
        except KeyError:
            pass
        if self._is_odd(headers, self._names):
            return None
        performance = _perform(self._application, self._environ(scope, headers, path, self._names, of_view))
        common = Common(performance.without(_SENT_ANEW)) if performance.reached_view else None
        _remember(self._known, seen, common)
        return common

    def of_refusal(self, request: Request) -> Pairs:
        """Return what an answer needs that is given before a door is opened."""
        common = self.common(request, (), path="/")
        return common.pairs if common else ()

    def preflight(self, request: Request, *, path: str | None = None) -> Preflight | None:
        """Return the answer to an OPTIONS request, where the middleware gives it; None: Django has to."""
        scope, headers = request.scope, request.headers
        path = path or scope["path"]
        names = self._names + _NAMES_OF_PREFLIGHTS
        seen = (path, scope["scheme"], *map(headers.get, names))
        try:
            return self._preflights[seen]
        except KeyError:
            pass
        if _NAMES_OF_PREFLIGHTS[0] not in headers or self._is_odd(headers, names):
            return None
        performance = _perform(self._application, self._environ(scope, headers, path, names, ()))
        settled = performance.status == 200 and not performance.reached_view
        preflight = Preflight(200, performance.without(frozenset())) if settled else None
        _remember(self._preflights, seen, preflight)
        return preflight

    def _is_odd(self, headers: Headers, names: tuple[bytes, ...]) -> bool:
        return b"host" not in headers or any(len(headers.get(name, b"")) > _LONGEST_VALUE for name in names)

    def _environ(
        self, scope: Scope, headers: Headers, path: str, names: tuple[bytes, ...], of_view: OfView
    ) -> dict[str, Any]:
        name, port = scope.get("server") or ("localhost", 80)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "OPTIONS" if scope["method"] == "OPTIONS" else "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": name,
            "SERVER_PORT": str(port or 0),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "",
            "wsgi.url_scheme": scope["scheme"],
            "wsgi.input": BytesIO(),
            REHEARSAL: dict(of_view),
        }
        for header in names:
            if header in headers:
                variable = f"HTTP_{header.decode('latin-1').upper().replace('-', '_')}"
                environ[variable] = headers[header].decode("latin-1")
        return environ


@dataclass(frozen=True, slots=True)
class _Performance:
    status: int
    headers: Pairs
    reached_view: bool

    def without(self, names: frozenset[bytes]) -> Pairs:
        return tuple(header for header in self.headers if header[0] not in names)


def _perform(application: WSGIApplication, environ: dict[str, Any]) -> _Performance:
    status = 0
    given: list[tuple[str, str]] = []

    def start_response(line: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
        nonlocal status
        status = int(line.split()[0])
        given.extend(headers)
        return bytes

    response = application(environ, start_response)
    if close := getattr(response, "close", None):
        close()
    headers = tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given)
    return _Performance(status, headers, reached_view=environ.get(REHEARSAL) is None)


def _remember(known: dict[tuple[Any, ...], Any], seen: tuple[Any, ...], found: object) -> None:
    if len(known) >= _MOST_REMEMBERED:
        known.clear()
    known[seen] = found

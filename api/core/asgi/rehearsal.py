"""What Django's middleware says about a request, learnt once, for those who answer without Django.

Which hosts are served, whether plain HTTP is redirected, what browsers of which origin may read, the
security headers: all this is settings that middleware turns into answers and headers. It isn't done a second
time beside Django. Instead the real middleware is asked, around a view that answers nothing, and what it made
of that is remembered for requests that look the same to it.
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIApplication

from django.conf import settings

from core.asgi.types import Headers, Scope
from core.middleware import REHEARSAL

Pairs = tuple[tuple[bytes, bytes], ...]

# What the middleware depends on. Others, such as cookies, a request must not have to be answered beside it.
_NAMES = (b"host", b"origin")
_SENT_ANEW = frozenset({"content-length", "content-type"})
_MOST_REMEMBERED = 4096


class Common:
    """The headers that all answers to requests of one kind have in common; compared by identity."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs


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

    def common(self, scope: Scope, headers: Headers, of_view: Mapping[str, str]) -> Common | None:
        """Return what an answer to this request has to have; None: Django itself has to answer it.

        Args:
            of_view: the headers of the view at the request's path, always the same.
        """
        seen = (scope["path"], scope["scheme"], *map(headers.get, self._names))
        try:
            return self._known[seen]
        except KeyError:
            pass
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        found = self._known[seen] = self._rehearse(scope, headers, of_view)
        return found

    def _rehearse(self, scope: Scope, headers: Headers, of_view: Mapping[str, str]) -> Common | None:
        if b"host" not in headers:
            return None
        name, port = scope.get("server") or ("localhost", 80)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": scope["path"],
            "QUERY_STRING": "",
            "SERVER_NAME": name,
            "SERVER_PORT": str(port or 0),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "",
            "wsgi.url_scheme": scope["scheme"],
            "wsgi.input": BytesIO(),
            REHEARSAL: dict(of_view),
        }
        for header in self._names:
            if header in headers:
                environ[f"HTTP_{header.decode('latin-1').upper().replace('-', '_')}"] = headers[
                    header
                ].decode("latin-1")
        return _performed(self._application, environ)


def _performed(application: WSGIApplication, environ: dict[str, Any]) -> Common | None:
    given: list[tuple[str, str]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
        given.extend(headers)
        return bytes

    response = application(environ, start_response)
    if close := getattr(response, "close", None):
        close()
    if not environ[REHEARSAL]:  # the view was reached, and took its headers
        pairs = ((name.lower(), value) for name, value in given)
        return Common(
            tuple(
                (name.encode("latin-1"), value.encode("latin-1"))
                for name, value in pairs
                if name not in _SENT_ANEW
            )
        )
    return None

"""Access log lines and statsd request metrics, as gunicorn itself writes them for its own workers.

The uvicorn worker never calls gunicorn's access hook; this calls it, so that the format variables and
the metric names that operators know from gunicorn stay true.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Any

from core.asgi.observed import CLIENT_GONE
from core.asgi.protocol import WHOLE_ANSWER
from core.asgi.types import Application, Message, Receive, Scope, Send
from core.logs.access import ACCESS_SCOPE
from core.masking import masked_path, masked_query, masked_url

# What opens something is in no log, whatever format an operator writes down.
_CREDENTIALS = {"authorization", "cookie", "x-api-key", "x-auth-api-key", "x-csrftoken", "x-environment-key"}


@dataclass
class SentResponse:
    """What gunicorn's logger reads from a response."""

    status: int = CLIENT_GONE
    headers: tuple[tuple[str, str], ...] = ()
    sent: int = 0


class AccessHook:
    """Wraps the application; only put there when somebody wants lines or metrics.

    Args:
        access: `gunicorn.glogging.Logger.access`, which the logger for statsd extends.
    """

    def __init__(self, application: Application, access: Callable[..., None]) -> None:
        self._application = application
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        started = perf_counter()
        response = SentResponse()
        # As the client sent them: the application takes away what it doesn't believe.
        headers = _decoded(scope["headers"])

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                response.status = message["status"]
                response.headers = _decoded(message.get("headers", ()))
            elif message["type"] == "http.response.body":
                response.sent += len(message.get("body", b""))
            await send(message)

        whole = scope.get("extensions", {}).get(WHOLE_ANSWER)
        if whole is not None:

            def noting_whole(status: int, head: bytes, body: bytes) -> bool:
                if not whole(status, head, body):
                    return False
                response.status, response.headers, response.sent = status, _read(head), len(body)
                return True

            scope["extensions"] = {**scope["extensions"], WHOLE_ANSWER: noting_whole}
        try:
            await self._application(scope, receive, noting)
        except Exception:
            response.status = 500
            raise
        finally:
            took = timedelta(seconds=perf_counter() - started)
            told = [
                (name, masked_url(value) if name == "referer" else value)
                for name, value in headers
                if name not in _CREDENTIALS
            ]
            self._access(response, told, _environ(scope, dict(headers)), took)


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _read(head: bytes) -> tuple[tuple[str, str], ...]:
    pairs = (line.partition(b": ") for line in head.splitlines()[1:])
    return _decoded((name, value) for name, _, value in pairs)


def _environ(scope: Scope, headers: dict[str, str]) -> dict[str, Any]:
    """Return the WSGI variables that gunicorn's access format reads."""
    query = masked_query(scope["query_string"].decode("latin-1"))
    raw_path = masked_path(scope["raw_path"].decode("latin-1"))
    environ: dict[str, Any] = {
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "-",
        "REQUEST_METHOD": scope["method"],
        "RAW_URI": f"{raw_path}?{query}" if query else raw_path,
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "PATH_INFO": masked_path(scope["path"]),
        "QUERY_STRING": query,
        ACCESS_SCOPE: scope,
    }
    if "referer" in headers:  # pages of ours send it, whose own addresses may open something
        environ["HTTP_REFERER"] = masked_url(headers["referer"])
    if "user-agent" in headers:
        environ["HTTP_USER_AGENT"] = headers["user-agent"]
    # Of which gunicorn takes the user's name.
    if headers.get("authorization", "").lower().startswith("basic "):
        environ["HTTP_AUTHORIZATION"] = headers["authorization"]
    return environ

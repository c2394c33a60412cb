"""Which handler answers which path."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from django.conf import settings

from core.asgi.request import Request

# Answers and returns True; or returns False, having sent nothing, and Django answers.
Handler = Callable[[Request], Awaitable[bool]]


class Lane:
    """Finds the handler of a path.

    Args:
        at: handlers by path, without the slash that may stand at its end.
        below: handlers by the first part of the path, as in `{"/ofrep/": …}`.
        streams: handlers by what the path begins with, whatever the headers: browsers send their cookies
            along, and some SDKs send a header twice.
    """

    def __init__(
        self,
        at: Mapping[str, Handler],
        below: Mapping[str, Handler] | None = None,
        streams: Mapping[str, Handler] | None = None,
    ) -> None:
        self._at = {f"{path}{slash}": handler for path, handler in at.items() for slash in ("", "/")}
        self._below = below or {}
        self._streams = streams or {}
        self._session = settings.SESSION_COOKIE_NAME.encode()

    @property
    def paths(self) -> Iterable[str]:
        """The paths that have a handler of their own, each with and without the slash at its end."""
        return self._at

    async def __call__(self, request: Request) -> bool:
        path: str = request.scope["path"]
        handler = self._at.get(path)
        if handler is None:
            streams = self._stream_at(path)
            if streams is not None:
                return await streams(request)
            handler = self._below.get(path[: path.find("/", 1) + 1])
        if handler is None or self._is_for_middleware(request):
            return False
        return await handler(request)

    def handler_of(self, path: str) -> Handler | None:
        """Return what answers a path, unless it declines; for those who write about requests."""
        below = self._below.get(path[: path.find("/", 1) + 1])
        return self._at.get(path) or self._stream_at(path) or below

    def _stream_at(self, path: str) -> Handler | None:
        return next((each for beginning, each in self._streams.items() if path.startswith(beginning)), None)

    def _is_for_middleware(self, request: Request) -> bool:
        """Whether Django's middleware would do more than a rehearsal shows: join what is repeated, look at
        a session."""
        headers = request.headers
        return len(headers) != len(request.scope["headers"]) or self._session in headers.get(b"cookie", b"")

"""Django as one of the doors: its WSGI application in a bounded pool of threads.

Not Django's own ASGI handler, because that one opens a database connection for each request, where a
pool's threads keep theirs.
"""

import sys
from collections.abc import Iterable
from io import BytesIO
from threading import Semaphore
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIApplication
from wsgiref.util import FileWrapper

from a2wsgi import WSGIMiddleware

from core.asgi.responses import Refused
from core.asgi.types import Message, Scope, Send

# In a request's WSGI environment: its scope, for what those around Django want to know of it.
SCOPE = "burgee.scope"
# In a scope: the route that Django has found, as in `/api/v1/projects/{pk}/`.
ROUTE = "burgee.route"

_FILE_BLOCK_BYTES = 64 * 1024  # a block is a hop between threads


class DjangoDoor:
    """Answers with a WSGI application.

    Args:
        threads: how many requests are worked on at the same time.
        max_waiting: how many more may wait for a thread; the next is told to come back.
    """

    def __init__(self, application: WSGIApplication, *, threads: int, max_waiting: int) -> None:
        self._application = application
        self._waiting = Semaphore(max(max_waiting, threads))  # on its way to an idle thread it waits, too
        self._threads = threads
        self._under_way = self._refused = 0
        self._pool = WSGIMiddleware(self._in_thread, workers=threads)  # type: ignore[arg-type]
        self.executor = self._pool.executor

    async def __call__(self, scope: Scope, body: bytes, send: Send) -> None:
        """Answer the request whose whole body this is.

        Raises:
            Refused: 503, too many wait already.
        """
        if not self._waiting.acquire(blocking=False):
            self._refused += 1
            raise Refused(503, "The server is busy. Try again.", [(b"retry-after", b"1")])
        # a2wsgi takes neither a query nor a path that isn't ASCII: `_in_thread` gives them in its place.
        inner = {**scope, "path": "/", "query_string": b"", "request": scope, "body": body}
        self._under_way += 1
        try:
            await self._pool(inner, _nothing_more, send)  # type: ignore[arg-type]
        finally:
            self._under_way -= 1

    def state(self) -> dict[str, int]:
        """Return what metrics show; on the event loop."""
        busy = min(self._under_way, self._threads)
        return {
            "threads": self._threads,
            "threads_busy": busy,
            "waiting": self._under_way - busy,
            "refused": self._refused,
        }

    def _in_thread(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        # What is written from here on waits for the client, if at all, and not for a thread.
        self._waiting.release()
        inner = environ.pop("asgi.scope")
        complete(environ, inner["request"], inner["body"])
        environ[SCOPE] = inner["request"]
        return self._application(environ, start_response)


def complete(environ: dict[str, Any], scope: Scope, body: bytes) -> None:
    """Make of a2wsgi's `environ` what a WSGI server gives: bytes as they came, and a body with its length."""
    environ["PATH_INFO"] = unquote_to_bytes(scope["raw_path"]).decode("latin-1")
    environ["QUERY_STRING"] = scope["query_string"].decode("latin-1")
    environ["wsgi.input"] = BytesIO(body)
    if environ.pop("HTTP_TRANSFER_ENCODING", None) is not None:
        environ["CONTENT_LENGTH"] = str(len(body))
    environ.setdefault("REMOTE_ADDR", "")  # a unix socket
    environ["wsgi.errors"] = sys.stderr
    environ["wsgi.file_wrapper"] = _blocks


def _blocks(file: Any, block_size: int = 0) -> FileWrapper:
    return FileWrapper(file, _FILE_BLOCK_BYTES)


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}

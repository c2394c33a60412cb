"""What is asked of a process that serves nobody else: is it alive, is it ready, what has it counted.

A task processor has no server of its own, and whoever watches over containers asks them by HTTP.
"""

from collections.abc import Callable
from http import HTTPStatus
from socket import create_server
from threading import Thread
from types import TracebackType

import uvicorn
from django.core.wsgi import get_wsgi_application
from django.db import connections

from core.asgi.django_door import DjangoDoor
from core.asgi.responses import Refused, send_json
from core.asgi.types import Receive, Scope, Send
from operations import liveness

# Of Django's routes those that are about the process and the installation, without the slash at their end.
PATHS = frozenset(
    {"/health", "/health/readiness", "/healthcheck", "/metrics", "/processor/monitoring", "/version"}
)
_MOST_CONNECTIONS = 64
_STOP_SECONDS = 5


class ProbeServer:
    """Answers in a thread of its own, from `with` on until the block ends.

    Args:
        lives: whether the process does what it is there for; asked for each answer about liveness.

    Raises:
        OSError: nobody can listen there.
    """

    def __init__(self, host: str, port: int, *, lives: Callable[[], bool]) -> None:
        self._lives = lives
        self._django = DjangoDoor(get_wsgi_application(), threads=1, max_waiting=20)
        self._socket = create_server((host, port))
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._answer,
                interface="asgi3",
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_STOP_SECONDS,
            )
        )
        self._thread = Thread(target=self._server.run, args=([self._socket],), name="probes", daemon=True)

    def __enter__(self) -> "ProbeServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS * 2)
        self._django.executor.submit(connections.close_all)  # in its one thread, whose they are
        self._django.executor.shutdown()
        self._socket.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        try:
            if scope["method"] not in {"GET", "HEAD"}:
                raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.")
            if path == liveness.PATH:
                # Whatever host is asked for: probes know a process by its address.
                status = HTTPStatus.OK if self._lives() else HTTPStatus.INTERNAL_SERVER_ERROR
                await send_json(send, status, {"status": "ok" if self._lives() else "broken"})
            elif path in PATHS:
                await self._django(scope, b"", send)
            else:
                raise Refused(HTTPStatus.NOT_FOUND, "Not found.")
        except Refused as refusal:
            await refusal.send(send)

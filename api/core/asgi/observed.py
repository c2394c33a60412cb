"""Telling others of each request when it has been answered: what counts, logs or traces them."""

from collections.abc import Callable, Sequence
from time import perf_counter

from core.asgi.protocol import WHOLE_ANSWER
from core.asgi.types import Application, Message, Receive, Scope, Send

# What proxies write where the client went away before there was an answer.
CLIENT_GONE = 499

# Takes the scope, the status, how many seconds it took and how many bytes the body had.
Observer = Callable[[Scope, int, float, int], None]


class Observed:
    """Wraps the server's application; only put there where somebody observes."""

    def __init__(self, application: Application, observers: Sequence[Observer]) -> None:
        self._application = application
        self._observers = tuple(observers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        started = perf_counter()
        status, size = CLIENT_GONE, 0

        async def noting(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        extensions = scope.get("extensions") or {}
        whole = extensions.get(WHOLE_ANSWER)
        if whole is not None:

            def noting_whole(of_answer: int, head: bytes, body: bytes) -> bool:
                nonlocal status, size
                if not whole(of_answer, head, body):
                    return False
                status, size = of_answer, len(body)
                return True

            extensions[WHOLE_ANSWER] = noting_whole
        try:
            await self._application(scope, receive, noting)
        except Exception:
            status = 500
            raise
        finally:
            seconds = perf_counter() - started
            for observe in self._observers:
                observe(scope, status, seconds, size)

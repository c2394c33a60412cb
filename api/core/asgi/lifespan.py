"""What lives as long as the process: the feed, the batcher, what must be written before the end."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager

from core.asgi.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

Part = Callable[[], AbstractAsyncContextManager[object]]


class Lifespan:
    """Starts parts in the order given, on the event loop, and ends them in the opposite order.

    A part that can't start stops the process from serving; one that can't end doesn't keep the others from
    it. The state has an event "leaving", which is set when the process is about to end: see `BoundedServer`.
    """

    def __init__(self, parts: Iterable[Part] = ()) -> None:
        self._parts = list(parts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        scope["state"]["leaving"] = asyncio.Event()
        started: list[AbstractAsyncContextManager[object]] = []
        try:
            for part in self._parts:
                manager = part()
                await manager.__aenter__()
                started.append(manager)
        except Exception as error:
            logger.exception("The server can't start.")
            await _end(started)
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await _end(started)
        await send({"type": "lifespan.shutdown.complete"})


async def _end(started: list[AbstractAsyncContextManager[object]]) -> None:
    # Not by an AsyncExitStack: what goes wrong in one part is no error in those around it.
    for manager in reversed(started):
        try:
            await manager.__aexit__(None, None, None)
        except Exception:
            logger.exception("A part of the server didn't end in order.")

"""The part of the server that writes its process's figures down."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

logger = logging.getLogger(__name__)

_SECONDS = 1.0


class Writing:
    """Calls each of `writers` every second, and at the end."""

    def __init__(self, writers: Sequence[Callable[[], None]]) -> None:
        self._writers = writers

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        writing = asyncio.create_task(self._keep_writing())
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            self._write()

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            self._write()

    def _write(self) -> None:
        try:
            for write in self._writers:
                write()
        except Exception:  # a full disk is no reason to serve no flags
            logger.exception("The figures for Prometheus couldn't be written.")

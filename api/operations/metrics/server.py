"""Metrics of the server's processes, put together."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from core.asgi.types import Scope
from operations.metrics.part import Writing
from operations.metrics.requests import RequestSums
from operations.metrics.states import State, States


class Metrics:
    """Counts the requests that come, and writes that and the states of parts where all processes see it.

    Args:
        route_of: names the route of a request.
        states: by what their names begin with.
    """

    def __init__(self, route_of: Callable[[Scope], str], states: Mapping[str, State]) -> None:
        self._sums = RequestSums(route_of)
        self._writing = Writing([self._sums.write, States(states).write])

    def observe(self, scope: Scope, status: int, seconds: float, size: int) -> None:
        """Count a request that was answered; on the event loop."""
        self._sums.add(scope, status, seconds, size)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self._writing.running():
            yield

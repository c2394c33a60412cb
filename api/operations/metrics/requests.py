"""Counting requests: how many, how long they took, how large the answers were."""

from bisect import bisect_left
from collections.abc import Callable

from core.asgi.types import Scope
from operations.metrics import families
from operations.metrics.families import DURATIONS, SIZES
from operations.routes import METHODS


class _Sums:
    """What was counted for one route, method and status since it was last written."""

    __slots__ = ("bytes", "durations", "number", "seconds", "sizes")

    def __init__(self) -> None:
        self.number, self.seconds, self.bytes = 0, 0.0, 0
        self.durations = [0] * (len(DURATIONS) + 1)
        self.sizes = [0] * (len(SIZES) + 1)


class RequestSums:
    """Adds up in memory; on the event loop only.

    Args:
        route_of: names the route of a request.
    """

    def __init__(self, route_of: Callable[[Scope], str]) -> None:
        self._route_of = route_of
        self._sums: dict[tuple[str, str, int], _Sums] = {}

    def add(self, scope: Scope, status: int, seconds: float, size: int) -> None:
        key = (self._route_of(scope), scope["method"], status)
        sums = self._sums.get(key)
        if sums is None:
            if scope["method"] not in METHODS:
                scope = {**scope, "method": "OTHER"}
                return self.add(scope, status, seconds, size)
            sums = self._sums[key] = _Sums()
        sums.number += 1
        sums.seconds += seconds
        sums.bytes += size
        sums.durations[bisect_left(DURATIONS, seconds)] += 1
        sums.sizes[bisect_left(SIZES, size)] += 1
        return None

    def write(self) -> None:
        """Give what was added up to the metrics."""
        sums_by_key, self._sums = self._sums, {}
        for (route, method, status), sums in sums_by_key.items():
            labels = (route, method, str(status))
            families.requests.labels(*labels).inc(sums.number)
            families.request_durations.labels(*labels).add(sums.durations, sums.seconds)
            families.response_sizes.labels(*labels).add(sums.sizes, sums.bytes)

"""Counting requests: how many, how long they took, how large the answers were."""

from bisect import bisect_left
from collections.abc import Iterable

from core.asgi.django_door import ROUTE
from core.asgi.types import Scope
from operations.metrics import families
from operations.metrics.families import DURATIONS, SIZES
from sdk.lane.ofrep import FLAGS
from sdk.streams.paths import BASES, OFREP_STREAMS, SDK_STREAM_END, SDK_STREAMS

_UNKNOWN = "unknown"  # no route, or refused before one was looked for
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# The lane's; Django says of each of its requests which route it took.
_BEGINNINGS = (
    (f"{FLAGS}/", f"{FLAGS}/{{key}}"),
    *((base + SDK_STREAMS, base + SDK_STREAMS + "{client_key}" + SDK_STREAM_END) for base in BASES),
    *((base + OFREP_STREAMS, base + OFREP_STREAMS + "{client_key}") for base in BASES),
)


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
        paths: those of the lane, which are their own routes, with and without the slash at their end.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._routes = {path: f"{path.rstrip('/')}/" for path in paths}
        self._routes.update(dict.fromkeys((FLAGS, f"{FLAGS}/"), FLAGS))
        self._sums: dict[tuple[str, str, int], _Sums] = {}

    def add(self, scope: Scope, status: int, seconds: float, size: int) -> None:
        route = self._routes.get(scope["path"]) or _slow_route(scope)
        key = (route, scope["method"], status)
        sums = self._sums.get(key)
        if sums is None:
            if scope["method"] not in _METHODS:
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


def _slow_route(scope: Scope) -> str:
    known: str | None = scope.get(ROUTE)
    if known is not None:
        return known
    path: str = scope["path"]
    for beginning, route in _BEGINNINGS:
        if path.startswith(beginning):
            return route
    return _UNKNOWN

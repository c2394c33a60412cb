"""Which route a request took, for those who count or trace requests around Django: never its path."""

from collections.abc import Iterable

from core.asgi.django_door import ROUTE
from core.asgi.types import Scope
from sdk.lane.ofrep import FLAGS
from sdk.streams.paths import BASES, OFREP_STREAMS, SDK_STREAM_END, SDK_STREAMS

UNKNOWN = "unknown"  # no route, or refused before one was looked for
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# The lane's; Django says of each of its requests which route it took.
_BEGINNINGS = (
    (f"{FLAGS}/", f"{FLAGS}/{{key}}"),
    *((base + SDK_STREAMS, base + SDK_STREAMS + "{client_key}" + SDK_STREAM_END) for base in BASES),
    *((base + OFREP_STREAMS, base + OFREP_STREAMS + "{client_key}") for base in BASES),
)


class Routes:
    """Finds a route's template.

    Args:
        paths: those of the lane, which are their own routes, with and without the slash at their end.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._of_lane = {path: f"{path.rstrip('/')}/" for path in paths}
        self._of_lane.update(dict.fromkeys((FLAGS, f"{FLAGS}/"), FLAGS))

    def __call__(self, scope: Scope) -> str:
        return self._of_lane.get(scope["path"]) or _slow(scope)

    def is_of_lane(self, scope: Scope) -> bool:
        """Whether it is one that SDKs ask for."""
        path = scope["path"]
        return path in self._of_lane or path.startswith(tuple(beginning for beginning, _ in _BEGINNINGS))


def _slow(scope: Scope) -> str:
    known: str | None = scope.get(ROUTE)
    if known is not None:
        return known
    path: str = scope["path"]
    for beginning, route in _BEGINNINGS:
        if path.startswith(beginning):
            return route
    return UNKNOWN

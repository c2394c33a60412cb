"""What the parts of a process say of themselves, as metrics of all processes together."""

from collections.abc import Callable, Mapping
from typing import Literal

from prometheus_client import Counter, Gauge

from operations.metrics import families

State = Callable[[], Mapping[str, float]]
Mode = Literal["livemin", "livemax", "livesum"]

# What goes up and down, and how it is put together. Everything else only grows.
_GAUGES: dict[str, Mode] = {
    "feed_is_listening": "livemin",
    "feed_is_deaf": "livemax",
    "feed_confirmed_seconds_ago": "livemax",
    "snapshots": "livesum",
    "snapshot_bytes": "livesum",
    "snapshots_behind": "livemax",
    "replicas_away": "livemax",
    "streams": "livesum",
    "identities_stored_buffered": "livesum",
    "identities_stored_buffered_bytes": "livesum",
    "identities_stored_is_away": "livemax",
    "identities_read_buffered": "livesum",
    "identities_read_buffered_bytes": "livesum",
    "identities_read_is_away": "livemax",
    "request_counts_waiting": "livesum",
    "evaluation_counts_waiting": "livesum",
    "identity_reads_waiting": "livesum",
    "snapshot_revision": "livemax",
    "snapshot_age_seconds": "livemax",
    "keys_loading": "livesum",
    "keys_unknown": "livesum",
    "shared_cache_is_left_alone": "livemax",
    "django_threads": "livesum",
    "django_threads_busy": "livesum",
    "django_waiting": "livesum",
    "operations_threads": "livesum",
    "operations_threads_busy": "livesum",
    "operations_waiting": "livesum",
    "jobs_running": "livesum",
    "jobs_threads": "livesum",
    "jobs_stuck": "livesum",
}
# What stands behind a colon in a name is the value of its label: `snapshot_revision:streamed`.
_LABEL = "kind"
_gauges: dict[str, Gauge] = {}
_counters: dict[str, Counter] = {}


class States:
    """Writes states to metrics named `burgee_<name>`.

    Args:
        states: by what their names begin with.
    """

    def __init__(self, states: Mapping[str, State]) -> None:
        self._states = states
        self._written: dict[str, float] = {}

    def write(self) -> None:
        for prefix, state in self._states.items():
            for name, value in state().items():
                self._write(prefix + name, value)

    def _write(self, name: str, value: float) -> None:
        name, _, kind = name.partition(":")
        if name in _GAUGES:
            gauge = _gauge(name, [_LABEL] if kind else [])
            (gauge.labels(kind) if kind else gauge).set(value)
            return
        before = self._written.get(name, 0.0)
        _counter(name).inc(max(value - before, 0.0))
        if name in {"snapshots_from_cache", "snapshots_from_files", "snapshots_built"} and value > before:
            result = "CACHE_MISS" if name == "snapshots_built" else "CACHE_HIT"
            families.document_queries.labels(result).inc(value - before)
        self._written[name] = value


def _gauge(name: str, labels: list[str]) -> Gauge:
    if name not in _gauges:
        _gauges[name] = Gauge(
            f"burgee_{name}",
            _help(name),
            labels,
            multiprocess_mode=_GAUGES[name],
            registry=families.registry,
        )
    return _gauges[name]


def _counter(name: str) -> Counter:
    if name not in _counters:
        _counters[name] = Counter(f"burgee_{name}", _help(name), registry=families.registry)
    return _counters[name]


def _help(name: str) -> str:
    return f"{name.replace('_', ' ').capitalize()}; see docs/monitoring.md."

"""The metrics by name. Those that begin with `flagsmith_` are named as operators of Flagsmith know them."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry()

DURATIONS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1e3, 5e3, 1e4, 5e4, 1e5, 5e5, 1e6, 5e6, 1e7)
TASK_DURATIONS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class SummedHistogram(Histogram):
    """Takes observations that were counted elsewhere."""

    def add(self, counts: Sequence[int], total: float) -> None:
        """Add so many observations to each bucket, the last of which has no bound, and their sum."""
        self._sum.inc(total)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


_OF_REQUESTS = ["route", "method", "response_status"]

requests = Counter(
    "flagsmith_http_server_requests",
    "Requests that were answered.",
    _OF_REQUESTS,
    registry=registry,
)
request_durations = SummedHistogram(
    "flagsmith_http_server_request_duration_seconds",
    "How long requests took.",
    _OF_REQUESTS,
    buckets=DURATIONS,
    registry=registry,
)
response_sizes = SummedHistogram(
    "flagsmith_http_server_response_size_bytes",
    "How large the bodies of answers were.",
    _OF_REQUESTS,
    buckets=SIZES,
    registry=registry,
)
document_queries = Counter(
    "flagsmith_environment_document_cache_queries",
    "Environments that were loaded: CACHE_HIT from what other processes keep, CACHE_MISS from the database.",
    ["result"],
    registry=registry,
)
build_info = Gauge(
    "flagsmith_build_info",
    "Always 1; its labels say which version runs.",
    ["ci_commit_sha", "version"],
    multiprocess_mode="max",
    registry=registry,
)
tasks_enqueued = Counter(
    "flagsmith_task_processor_enqueued_tasks",
    "Jobs that were enqueued, also by transactions that were rolled back.",
    ["task_identifier"],
    registry=registry,
)
_OF_TASKS = ["task_identifier", "task_type", "result"]
tasks_finished = Counter(
    "flagsmith_task_processor_finished_tasks", "Attempts at jobs that ended.", _OF_TASKS, registry=registry
)
task_durations = Histogram(
    "flagsmith_task_processor_task_duration_seconds",
    "How long attempts at jobs took.",
    _OF_TASKS,
    buckets=TASK_DURATIONS,
    registry=registry,
)

"""The page that Prometheus reads."""

import os
from collections.abc import Iterator

from django.db import DatabaseError, InterfaceError, connection
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from core.postgres import cut_off_after
from operations import version
from operations.metrics import families
from operations.sizes import database_bytes, table_sizes
from tasks.services import queue_figures

_DATABASE_SECONDS = 1.0


def page() -> tuple[bytes, str]:
    """Return the figures of all processes, and their content type."""
    families.build_info.labels(version.commit(), str(version.package_versions().get(".", ""))).set(1)
    registry = families.registry
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    asked = CollectorRegistry()
    asked.register(DatabaseCollector())
    return generate_latest(registry) + generate_latest(asked), CONTENT_TYPE_LATEST


class DatabaseCollector(Collector):
    """What the database's and no process's figures are. Left out where it is away, or takes long to say."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for ask in (_jobs, _sizes):
            try:
                with cut_off_after(_DATABASE_SECONDS, connection):
                    found = list(ask())
            except (DatabaseError, InterfaceError):
                connection.close()
                return
            yield from found


def _jobs() -> Iterator[GaugeMetricFamily]:
    figures = queue_figures()
    yield GaugeMetricFamily("burgee_jobs_due", "Jobs that are due and wait.", value=figures.due)
    yield GaugeMetricFamily(
        "burgee_jobs_oldest_due_seconds",
        "For how long the oldest of them waits.",
        value=figures.oldest_seconds,
    )
    yield GaugeMetricFamily("burgee_jobs_dead", "Jobs that are out of attempts.", value=figures.dead)
    yield GaugeMetricFamily(
        "burgee_recurring_tasks_off", "Recurring tasks that are switched off.", value=figures.switched_off
    )


def _sizes() -> Iterator[GaugeMetricFamily]:
    yield GaugeMetricFamily("burgee_database_bytes", "How large the database is.", value=database_bytes())
    each = GaugeMetricFamily(
        "burgee_table_bytes", "How large each table is, with its indexes.", labels=["table"]
    )
    for table, size, _ in table_sizes():
        each.add_metric([table], size)
    yield each

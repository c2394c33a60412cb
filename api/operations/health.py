"""What must work for this server to be of use, looked at one by one.

Everyone may ask, so that answers say what is wrong and not what the database said about it: that is logged.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from time import monotonic, sleep
from uuid import uuid4

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from core.asgi import departure
from core.postgres import cut_off_after
from environments.publishing import silent_triggers
from operations.tasks import answer_health_check
from sdk.store import snapshots
from tasks.models import Job, State
from tasks.services import enqueue

logger = logging.getLogger(__name__)

WORKING = "working"
AWAY = "The database can't be reached."
_DATABASE_SECONDS = 2.0
_TASK_SECONDS = 3.0


@dataclass(frozen=True)
class Finding:
    """What a check came to. `is_critical`: without it the server is of no use."""

    name: str
    words: str = WORKING
    is_critical: bool = True

    @property
    def works(self) -> bool:
        return self.words == WORKING


@dataclass(frozen=True)
class Health:
    """What all checks came to."""

    findings: list[Finding]

    @property
    def works(self) -> bool:
        return all(finding.works for finding in self.findings if finding.is_critical)

    @property
    def is_degraded(self) -> bool:
        """Whether flags are served all the same: only the database is away, and this process does without.

        Taken out of service, such processes would leave nobody who serves.
        """
        missing = [finding.words for finding in self.findings if finding.is_critical and not finding.works]
        return bool(missing) and set(missing) == {AWAY} and snapshots.can_serve


def examine() -> Health:
    """Look at everything; within some seconds, whatever doesn't answer."""
    return Health([*_of_this_server(), *_of_the_database(), *_of_caches(), *_of_tasks()])


def _of_this_server() -> Iterator[Finding]:
    if departure.is_announced():
        yield Finding("ServerHealthCheck", "This server is about to end.")


def _of_the_database() -> Iterator[Finding]:
    checks: dict[str, Callable[[], str]] = {
        "DatabaseBackend": _write,
        "MigrationsHealthCheck": _compare_migrations,
        "TriggersHealthCheck": _look_at_triggers,
    }
    is_away = False
    for name, check in checks.items():
        try:
            if is_away:
                words = AWAY
            else:
                with cut_off_after(_DATABASE_SECONDS, connection):
                    words = check()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The health check %s failed: %s", name, str(error).strip())
            connection.close()
            is_away, words = True, AWAY
        yield Finding(name, words)


def _write() -> str:
    with transaction.atomic():
        row = Job.objects.create(task="operations.health", state=State.DISCARDED, most_attempts=0)
        row.delete()
    return WORKING


def _compare_migrations() -> str:
    applied = MigrationRecorder(connection).applied_migrations()
    pending = [each for each in _migrations() if each not in applied]
    return f"{len(pending)} migrations aren't applied." if pending else WORKING


@cache
def _migrations() -> list[tuple[str, str]]:
    return list(MigrationLoader(None).graph.nodes)


def _look_at_triggers() -> str:
    silent = silent_triggers()
    return f"{len(silent)} triggers are missing or switched off." if silent else WORKING


def _of_caches() -> Iterator[Finding]:
    for alias in caches:
        if isinstance(caches[alias], DummyCache):
            continue  # switched off
        name = "CacheBackend" if alias == "default" else f"CacheBackend[{alias}]"
        key, value = f"health:{uuid4()}", b"1"
        try:
            caches[alias].set(key, value, 10)
            works = bool(caches[alias].get(key))
            caches[alias].delete(key)
        except Exception:  # each back end has its own
            logger.warning("The health check %s failed.", name, exc_info=True)
            works = False
        yield Finding(name, WORKING if works else "The cache doesn't answer.", is_critical=False)


def _of_tasks() -> Iterator[Finding]:
    if settings.TASK_RUN_METHOD != "TASK_PROCESSOR" or not settings.ENABLE_TASK_PROCESSOR_HEALTH_CHECK:
        return
    words = f"No task processor has run a task within {_TASK_SECONDS:g} seconds."
    try:
        with cut_off_after(_TASK_SECONDS + _DATABASE_SECONDS, connection):
            job_id = enqueue(answer_health_check)
            deadline = monotonic() + _TASK_SECONDS
            while monotonic() < deadline:
                sleep(0.05)
                if not Job.objects.filter(pk=job_id).exists():  # it isn't kept
                    words = WORKING
                    break
    except (DatabaseError, InterfaceError):
        words = AWAY
    yield Finding("TaskProcessorHealthCheckBackend", words, is_critical=False)

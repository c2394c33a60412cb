"""Asking for something to be done in the background, and taking that back."""

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from tasks import figures, queue, registry, running, waking
from tasks.models import Job, RecurringTask, State
from tasks.registry import Task
from tasks.sealing import sealed

_ENQUEUE = """
INSERT INTO tasks_job
    (task, arguments, key, priority, run_at, most_attempts, state, attempts, worker, last_error)
VALUES (
    %(task)s, %(arguments)s::jsonb, %(key)s, %(priority)s, coalesce(%(run_at)s, statement_timestamp()),
    %(most_attempts)s, 'waiting', 0, '', ''
)
ON CONFLICT (key) WHERE state = 'waiting' DO UPDATE SET
    task = EXCLUDED.task, arguments = EXCLUDED.arguments, priority = EXCLUDED.priority,
    run_at = EXCLUDED.run_at, most_attempts = EXCLUDED.most_attempts, attempts = 0, last_error = ''
RETURNING id
"""

_FIGURES = """
SELECT count(*), coalesce(extract(epoch FROM statement_timestamp() - min(run_at))::float, 0),
    (SELECT count(*) FROM tasks_job WHERE state = 'dead'),
    (SELECT count(*) FROM tasks_recurringtask WHERE NOT is_enabled)
FROM tasks_job WHERE state = 'waiting' AND run_at <= statement_timestamp()
"""


def enqueue(
    task: Task[...] | str,
    *,
    arguments: Mapping[str, Any] | None = None,
    run_at: datetime | None = None,
    key: str | None = None,
) -> int:
    """Have a task run once the transaction at hand is committed, and never if it is rolled back.

    Args:
        task: one that an app's `tasks.py` declares, or its name.
        arguments: what the task is called with. JSON values: ids rather than objects.
        run_at: not before this moment of the database's clock.
        key: of one key only one job waits: another takes its place, with its own arguments and moment. Nor do
            two of them run at the same time.

    Returns:
        The id of the job.

    Raises:
        LookupError: there is no such task.
        TypeError: the arguments are no JSON.
    """
    found = registry.find(task) if isinstance(task, str) else task
    given = dict(arguments or {})
    values = {
        "task": found.name,
        "arguments": json.dumps(sealed(given) if found.is_sealed else given),
        "key": key,
        "priority": found.priority,
        "run_at": run_at,
        "most_attempts": found.attempts,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ENQUEUE, values)
        job_id: int = cursor.fetchone()[0]
    figures.enqueued(found.name)
    if settings.TASK_RUN_METHOD == "SYNCHRONOUSLY":
        transaction.on_commit(partial(_run_here, job_id))
    else:
        transaction.on_commit(waking.wake)
    return job_id


def cancel(key: str) -> bool:
    """Take back the job of a key that waits; tell whether there was one. One that runs goes on."""
    return bool(discard(Job.objects.filter(key=key)))


def discard(jobs: QuerySet[Job]) -> int:
    """Have those of some jobs that wait or died not run (any more), and return how many there were."""
    unwanted = jobs.filter(state__in=[State.WAITING, State.DEAD])
    return unwanted.update(state=State.DISCARDED, finished_at=Now())


def retry(jobs: QuerySet[Job]) -> int:
    """Have those of some jobs that are over run once more, as if for the first time; return how many."""
    again = 0
    for job in jobs.filter(state__in=[State.DEAD, State.DISCARDED]):
        # One of its key, or another turn of its task, may wait already: then that one does it.
        with suppress(IntegrityError), transaction.atomic():
            again += Job.objects.filter(pk=job.pk, state=job.state).update(
                state=State.WAITING, attempts=0, run_at=Now(), finished_at=None
            )
    transaction.on_commit(waking.wake)
    return again


def number_waiting() -> int:
    """Return how many jobs are due that nobody has taken."""
    return Job.objects.filter(state=State.WAITING, run_at__lte=Now()).count()


class QueueFigures(NamedTuple):
    """What stands in the queue: jobs that are due or dead, recurring tasks that are switched off."""

    due: int
    oldest_seconds: float
    dead: int
    switched_off: int


def queue_figures() -> QueueFigures:
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES)
        return QueueFigures(*cursor.fetchone())


def switch_on(recurring: QuerySet[RecurringTask]) -> int:
    """Let recurring tasks run again that were switched off after too many failures; they are due at once."""
    return recurring.filter(is_enabled=False).update(is_enabled=True, failures_in_a_row=0, next_due_at=Now())


def run_due() -> int:
    """Run what is due now, in this thread, and what that enqueues. For tests.

    Returns:
        How many jobs were run.
    """
    number = 0
    while leases := queue.take(registry.names(), 1, worker=_HERE):
        running.run(leases[0])
        number += 1
    return number


_HERE = f"{socket.gethostname()} in a request"


def _run_here(job_id: int) -> None:
    for lease in queue.take(registry.names(), 1, worker=_HERE, job_id=job_id):
        running.run(lease)

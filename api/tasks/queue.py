"""What workers say to the database about jobs. Each function is one statement or one short transaction.

The database's clock decides what is due and which lease has ended; those of hosts mean nothing here.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from tasks.registry import LOWEST_PRIORITY, RECURRING_ATTEMPTS, Task

LEASE = timedelta(seconds=30)
LONGEST_ERROR = 4000
WORKER_ENDED = "The worker ended while it ran this, or the database was out of its reach."


@dataclass(frozen=True)
class Lease:
    """The right to run a job and to say how that went, for `LEASE` from when it was last renewed."""

    job_id: int
    token: UUID
    task: str
    arguments: Mapping[str, Any]
    attempts: int
    most_attempts: int
    is_turn: bool


_TAKE = """
WITH taken AS (
    SELECT id FROM tasks_job AS job
    WHERE state = 'waiting' AND run_at <= statement_timestamp() AND task = ANY(%(tasks)s)
        AND priority <= %(lowest)s AND (%(id)s::bigint IS NULL OR id = %(id)s)
        -- Of one key nothing runs side by side.
        AND (key IS NULL OR NOT EXISTS (
            SELECT FROM tasks_job AS other WHERE other.key = job.key AND other.state = 'running'
        ))
    ORDER BY priority, run_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE tasks_job SET
    state = 'running', attempts = attempts + 1, started_at = clock_timestamp(), worker = %(worker)s,
    lease_token = gen_random_uuid(), leased_until = clock_timestamp() + %(lease)s
FROM taken WHERE tasks_job.id = taken.id
RETURNING priority, run_at, tasks_job.id, lease_token, task, arguments::text, attempts, most_attempts,
    due_at IS NOT NULL
"""


def take(
    tasks: Sequence[str],
    most: int,
    *,
    worker: str,
    lease: timedelta = LEASE,
    lowest_priority: int = LOWEST_PRIORITY,
    job_id: int | None = None,
) -> list[Lease]:
    """Take up to so many jobs that are due, the most urgent first.

    Their attempts are counted and the leases written when this returns, unless the caller has a transaction
    open: only tests do.

    Args:
        tasks: names of those that this worker knows. A newer release's jobs wait for its workers.
        lowest_priority: take none that is less urgent.
        job_id: take this one or none.
    """
    values: dict[str, Any] = {
        "tasks": list(tasks),
        "most": most,
        "worker": worker[:200],
        "lease": lease,
        "lowest": lowest_priority,
        "id": job_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        rows = sorted(cursor.fetchall(), key=lambda row: row[:2])
    return [Lease(row[2], row[3], row[4], json.loads(row[5]), *row[6:]) for row in rows]


def renew(leases: Sequence[Lease], lease: timedelta = LEASE) -> set[int]:
    """Prolong leases, and return the ids of the jobs that are still theirs."""
    values: Any = [lease, [each.job_id for each in leases], [str(each.token) for each in leases]]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_job SET leased_until = clock_timestamp() + %s"
            " WHERE id = ANY(%s) AND lease_token = ANY(%s::uuid[]) AND state = 'running' RETURNING id",
            values,
        )
        return {row[0] for row in cursor.fetchall()}


def finish(lease: Lease, task: Task[...]) -> bool:
    """Note that a job is done. False: it isn't ours any more, and nothing is noted."""
    if task.is_kept:
        sql = "UPDATE tasks_job SET state = 'done', finished_at = clock_timestamp(), lease_token = NULL,"
        sql += " leased_until = NULL, last_error = ''"
    else:
        sql = "DELETE FROM tasks_job"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{sql} WHERE id = %s AND lease_token = %s", [lease.job_id, lease.token])
        is_ours = bool(cursor.rowcount)
        if is_ours and lease.is_turn:
            cursor.execute(
                "UPDATE tasks_recurringtask SET failures_in_a_row = 0, last_run_at = clock_timestamp()"
                " WHERE name = %s",
                [lease.task],
            )
    return is_ours


# A job that waits again gives way to one of its key that was enqueued meanwhile.
_FAIL = """
UPDATE tasks_job AS job SET
    state = CASE
        WHEN %(is_hopeless)s OR attempts >= most_attempts THEN 'dead'
        WHEN key IS NOT NULL AND EXISTS (
            SELECT FROM tasks_job AS other WHERE other.key = job.key AND other.state = 'waiting'
        ) THEN 'discarded'
        ELSE 'waiting'
    END,
    run_at = clock_timestamp() + %(delay)s, finished_at = clock_timestamp(), last_error = %(error)s,
    lease_token = NULL, leased_until = NULL
WHERE id = %(id)s AND lease_token = %(token)s
RETURNING state, task, due_at IS NOT NULL
"""


def fail(lease: Lease, error: str, *, delay: timedelta, is_hopeless: bool = False) -> str | None:
    """Note that an attempt has failed, and return what becomes of the job; None: it isn't ours any more."""
    values: Any = {
        "id": lease.job_id,
        "token": lease.token,
        "error": error[:LONGEST_ERROR],
        "delay": delay,
        "is_hopeless": is_hopeless,
    }
    rows = _failed(_FAIL, values)
    return rows[0][0] if rows else None


_EXPIRE = _FAIL.replace(
    "WHERE id = %(id)s AND lease_token = %(token)s",
    """WHERE id = (
        SELECT id FROM tasks_job WHERE state = 'running' AND leased_until < statement_timestamp()
        ORDER BY leased_until LIMIT 1 FOR UPDATE SKIP LOCKED
    )""",
)


def expire() -> list[tuple[str, str]]:
    """End the leases that nobody has renewed: what has attempts left waits again, what hasn't is dead.

    Returns:
        The state and the task of each such job.
    """
    values: dict[str, Any] = {"is_hopeless": False, "delay": timedelta(0), "error": WORKER_ENDED}
    expired = []
    while rows := _failed(_EXPIRE, values):  # one by one: two of a key can't both wait
        expired.append(rows[0][:2])
    return expired


def give_back(leases: Sequence[Lease]) -> None:
    """Let others take jobs at once that a worker can't finish that is told to end.

    It isn't the job's fault: the attempt doesn't count.
    """
    for lease in leases:
        values: dict[str, Any] = {
            "id": lease.job_id,
            "token": lease.token,
            "error": "",
            "delay": timedelta(0),
        }
        with suppress(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE tasks_job SET attempts = attempts - 1 WHERE id = %(id)s AND lease_token = %(token)s",
                values,
            )
            cursor.execute(_FAIL, values | {"is_hopeless": False})


def _failed(sql: str, values: dict[str, Any]) -> list[tuple[str, str, bool]]:
    for is_last in (False, True):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql, values)
                rows: list[tuple[str, str, bool]] = cursor.fetchall()
                for _, task, is_turn in rows:
                    if is_turn:
                        _count_failure(task)
            return rows
        except IntegrityError:  # one of its key was enqueued in this moment: now it is seen
            if is_last:
                raise
    raise AssertionError


def _count_failure(task: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_recurringtask SET failures_in_a_row = failures_in_a_row + 1,"
            " last_run_at = clock_timestamp(), is_enabled = is_enabled AND failures_in_a_row + 1 < %s"
            " WHERE name = %s",
            [RECURRING_ATTEMPTS, task],
        )


# All workers agree on the moments at which a task is due: whole multiples of `every` from a fixed one.
_SEE = """
INSERT INTO tasks_recurringtask AS known
    (name, every, next_due_at, is_enabled, failures_in_a_row, seen_at)
SELECT name, every,
    at + every * (floor(extract(epoch FROM statement_timestamp() - at) / extract(epoch FROM every)) + 1),
    true, 0, statement_timestamp()
FROM unnest(%(names)s::text[], %(every)s::interval[], %(at)s::timestamptz[]) AS given (name, every, at)
ORDER BY name
ON CONFLICT (name) DO UPDATE SET
    seen_at = EXCLUDED.seen_at, every = EXCLUDED.every,
    -- One that was missed stays due.
    next_due_at = CASE
        WHEN known.every = EXCLUDED.every THEN least(known.next_due_at, EXCLUDED.next_due_at)
        ELSE EXCLUDED.next_due_at
    END
"""
_FORGET = "DELETE FROM tasks_recurringtask WHERE seen_at < statement_timestamp() - interval '30 minutes'"


def see(tasks: Sequence[Task[...]]) -> None:
    """Say which recurring tasks there are. Those that no worker has for half an hour are forgotten."""
    values: dict[str, Any] = {
        "names": [task.name for task in tasks],
        "every": [task.every for task in tasks],
        "at": [task.at for task in tasks],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEE, values)
        cursor.execute(_FORGET)


# Whoever updates the row first enqueues the turn; the others find it due later.
_ENQUEUE_TURNS = """
WITH due AS (
    SELECT name, next_due_at FROM tasks_recurringtask AS recurring
    WHERE is_enabled AND next_due_at <= statement_timestamp() AND name = ANY(%(names)s)
        AND NOT EXISTS (
            SELECT FROM tasks_job WHERE task = recurring.name AND due_at IS NOT NULL
                AND state IN ('waiting', 'running')
        )
    ORDER BY name FOR UPDATE SKIP LOCKED
), given AS (
    SELECT * FROM unnest(%(names)s::text[], %(priorities)s::int[], %(at)s::timestamptz[])
        AS given (name, priority, at)
), moved AS (
    UPDATE tasks_recurringtask AS recurring SET next_due_at = at + every * (
        floor(extract(epoch FROM statement_timestamp() - at) / extract(epoch FROM every)) + 1
    )
    FROM due JOIN given USING (name) WHERE due.name = recurring.name
    RETURNING recurring.name, due.next_due_at AS due_at, given.priority
)
INSERT INTO tasks_job (task, arguments, priority, due_at, state, attempts, most_attempts, worker, last_error)
SELECT name, '{}', priority, due_at, 'waiting', 0, %(attempts)s, '', '' FROM moved
ON CONFLICT DO NOTHING
RETURNING task
"""


def enqueue_turns(tasks: Sequence[Task[...]]) -> list[str]:
    """Enqueue the recurring tasks that are due, each once, whoever else does the same; return their names."""
    values: dict[str, Any] = {
        "names": [task.name for task in tasks],
        "priorities": [task.priority for task in tasks],
        "at": [task.at for task in tasks],
        "attempts": RECURRING_ATTEMPTS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ENQUEUE_TURNS, values)
        return [row[0] for row in cursor.fetchall()]

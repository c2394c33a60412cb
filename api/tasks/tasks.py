"""What tasks need to have done for themselves."""

from datetime import timedelta

from django.conf import settings
from django.db import connection

from tasks.registry import recurring

_DELETE = """
DELETE FROM tasks_job WHERE id IN (
    SELECT id FROM tasks_job
    WHERE state NOT IN ('waiting', 'running') AND (state <> 'dead' OR %(dead)s)
        AND finished_at < statement_timestamp() - make_interval(days => CASE
            WHEN due_at IS NULL THEN %(days)s ELSE %(days_of_turns)s
        END)
    LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
"""


@recurring(every=timedelta(seconds=settings.TASK_DELETE_RUN_EVERY), at=settings.TASK_DELETE_RUN_TIME)
def delete_old_jobs() -> None:
    """Delete what was finished long ago, a batch in a statement."""
    if not settings.ENABLE_CLEAN_UP_OLD_TASKS:
        return
    values = {
        "dead": settings.TASK_DELETE_INCLUDE_FAILED_TASKS,
        "days": settings.TASK_DELETE_RETENTION_DAYS,
        "days_of_turns": settings.RECURRING_TASK_RUN_RETENTION_DAYS,
        "most": settings.TASK_DELETE_BATCH_SIZE,
    }
    with connection.cursor() as cursor:
        deleted = None
        while deleted is None or deleted == settings.TASK_DELETE_BATCH_SIZE:
            cursor.execute(_DELETE, values)
            deleted = cursor.rowcount

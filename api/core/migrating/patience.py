"""Waiting for locks without having everybody else wait behind us.

Who waits for a strong lock stands before all who come later, even readers. A migration that waits for one
long report therefore stops the whole table for as long as that report takes. So it waits shortly, gives up,
lets the others go by, and tries again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2 import errorcodes


@contextmanager
def limited(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Have migrations in the block wait for locks, and run statements, no longer than the settings allow.

    Only those in a transaction: what runs outside of one builds indexes for as long as that takes, while
    nobody waits, and would leave broken ones if it were interrupted.
    """
    original: Any = connection.SchemaEditorClass

    class LimitedSchemaEditor(original):  # type: ignore[misc]  # which one, the database's back end says
        def __enter__(self) -> Any:
            entered = super().__enter__()
            if self.atomic_migration and not self.collect_sql:
                _limit_transaction(self.connection)
            return entered

    connection.SchemaEditorClass = LimitedSchemaEditor
    try:
        yield
    finally:
        connection.SchemaEditorClass = original


def _limit_transaction(connection: BaseDatabaseWrapper) -> None:
    # It alone: a pooler lends the connection to others afterwards.
    limits = {
        "lock_timeout": settings.MIGRATION_LOCK_TIMEOUT_SECONDS,
        "statement_timeout": settings.MIGRATION_STATEMENT_TIMEOUT_SECONDS,
    }
    with connection.cursor() as cursor:
        for name, seconds in limits.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, f"{round(seconds * 1000)}ms"])


def waited_in_vain(error: OperationalError) -> bool:
    """Whether a lock was not given in time, or given to one of two who waited for each other."""
    return _code(error) in {errorcodes.LOCK_NOT_AVAILABLE, errorcodes.DEADLOCK_DETECTED}


def took_too_long(error: OperationalError) -> bool:
    return bool(_code(error) == errorcodes.QUERY_CANCELED)


def _code(error: OperationalError) -> str | None:
    return getattr(error.__cause__, "pgcode", None)

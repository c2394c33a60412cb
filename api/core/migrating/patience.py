"""Waiting for locks without having everybody else wait behind us.

Who waits for a strong lock stands before all who come later, even readers. A migration that waits for one
long report therefore stops the whole table for as long as that report takes. So it waits shortly, gives up,
lets the others go by, and tries again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.db import Error, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2 import errorcodes


@contextmanager
def limited(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Have migrations in the block wait for locks, and run statements, no longer than the settings allow.

    Only those in a transaction: what runs outside of one builds indexes for as long as that takes, while
    nobody waits, and would leave broken ones if it were interrupted. There the limits that a role or a
    database has don't hold either.
    """
    original: Any = connection.SchemaEditorClass

    class LimitedSchemaEditor(original):  # type: ignore[misc]  # which one, the database's back end says
        def __enter__(self) -> Any:
            entered = super().__enter__()
            self.inherited: dict[str, str] = {}
            if self.atomic_migration and not self.collect_sql:
                _limit_transaction(self.connection)
            elif not self.collect_sql:
                self.inherited = _limits_of(self.connection)
                _limit(self.connection, dict.fromkeys(self.inherited, "0"))
            return entered

        def __exit__(self, *about: Any) -> None:
            try:
                super().__exit__(*about)
            finally:
                with suppress(Error):  # the connection is gone
                    _limit(self.connection, self.inherited)

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


def _limits_of(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the limits that hold for this session."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM pg_settings"
            " WHERE name IN ('lock_timeout', 'statement_timeout') AND setting <> '0'"
        )
        return dict(cursor.fetchall())


def _limit(connection: BaseDatabaseWrapper, limits: Mapping[str, str]) -> None:
    for name, value in limits.items():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])


def waited_in_vain(error: OperationalError) -> bool:
    """Whether a lock was not given in time, or given to one of two who waited for each other."""
    return _code(error) in {errorcodes.LOCK_NOT_AVAILABLE, errorcodes.DEADLOCK_DETECTED}


def took_too_long(error: OperationalError) -> bool:
    return bool(_code(error) == errorcodes.QUERY_CANCELED)


def _code(error: OperationalError) -> str | None:
    return getattr(error.__cause__, "pgcode", None)

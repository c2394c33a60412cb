"""`manage.py migrate`, one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import connections

from core.routing import migrated_databases
from core.safety import refuse_unsafe_settings

# Of those who migrate a database all take this one; nobody else takes it.
_LOCK = 0x6275726765650001


class Command(migrate.Command):
    """Django's own, which two containers may start at the same moment: the second waits and finds it done.

    All databases that have tables of their own are migrated, where none is named.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=None)

    def execute(self, *args: Any, **options: Any) -> str | None:
        if not (options["plan"] or options["check_unapplied"]):
            refuse_unsafe_settings()  # before the checks, which want the database
        return super().execute(*args, **options)

    def get_check_kwargs(self, options: dict[str, Any]) -> dict[Any, Any]:
        databases = [options["database"]] if options["database"] else migrated_databases()
        return {**super().get_check_kwargs(options), "databases": databases}

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] is None:
            for database in migrated_databases():
                self.handle(*args, **{**options, "database": database})
            return
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        with self._alone(options["database"]):
            super().handle(*args, **options)

    @contextmanager
    def _alone(self, database: str) -> Iterator[None]:
        # In a transaction of another connection: the lock of a session would stay with a pooler's connection.
        holder = connections[database].copy()
        try:
            holder.set_autocommit(False)
            with holder.cursor() as cursor:
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
                if not cursor.fetchone()[0]:
                    self.stdout.write("Another process migrates this database: waiting for it to end.")
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
                yield
        finally:
            holder.close()

"""`manage.py waitfordb`: for start scripts."""

from argparse import ArgumentParser
from time import monotonic, sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, connections
from django.db.migrations.executor import MigrationExecutor

from core.postgres import cut_off_after
from core.routing import migrated_databases

_PAUSE_SECONDS = 0.25
_ANSWER_SECONDS = 5.0


class Command(BaseCommand):
    help = "Wait until the database answers. Exit status 1 if it doesn't in time."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--waitfor", type=float, default=5, help="for so many seconds; 5")
        parser.add_argument("--migrations", action="store_true", help="wait until they are all applied, too")
        parser.add_argument("--database", choices=tuple(connections), help="only this one")

    def handle(
        self, *args: Any, waitfor: float, migrations: bool, database: str | None, **options: Any
    ) -> None:
        if connections["default"].vendor == "unknown":
            raise CommandError(
                "No database is named: set DATABASE_URL, or DJANGO_DB_NAME and its companions."
            )
        deadline = monotonic() + waitfor
        for each in [database] if database else migrated_databases():
            while missing := _missing(each, migrations):
                if monotonic() >= deadline:
                    raise CommandError(missing)
                sleep(_PAUSE_SECONDS)


def _missing(database: str, migrations: bool) -> str:
    """Return what there is to wait for; nothing when all is there."""
    connection = connections[database]
    try:
        with cut_off_after(_ANSWER_SECONDS, connection):
            if not migrations:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                return ""
            executor = MigrationExecutor(connection)
            pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        return f"The database doesn't answer: {str(error).strip()}"
    return f"{len(pending)} migrations aren't applied." if pending else ""

"""`manage.py migrate`: one at a time, not for long in others' way, with a plan that says what it locks."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddIndex
from django.db.migrations.operations.base import Operation
from django.template.defaultfilters import filesizeformat

from core.migrating.patience import limited, took_too_long, waited_in_vain
from core.migrating.plan import Reader, Step, size_of
from core.migrating.statements import WAITING, Lock
from core.routing import migrated_databases
from core.safety import refuse_unsafe_settings

# Of those who migrate a database all take this one; nobody else takes it.
_LOCK = 0x6275726765650001
_ASK_AGAIN_SECONDS = 0.5


class Command(migrate.Command):
    """Django's own, which two containers may start at the same moment: the second waits and finds it done.

    All databases that have tables of their own are migrated, where none is named.
    """

    _plan: "_Plan | None" = None
    _at: Migration | None = None  # that was begun last

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
        if options["plan"]:
            self._plan = _Plan(options["database"])
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        with self._alone(options["database"]), limited(connections[options["database"]]):
            self._try_to_migrate(*args, **options)

    def describe_operation(  # type: ignore[override]  # it is called on the command, as a method would be
        self, operation: Operation, backwards: bool
    ) -> tuple[str, bool]:
        message, is_error = super().describe_operation(operation, backwards)
        if self._plan is not None:
            message = "\n        ".join([message, *self._plan.lines_of(operation, backwards=backwards)])
        return message, is_error

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        if action in {"apply_start", "unapply_start"}:
            self._at = migration
        elif action in {"apply_success", "unapply_success"}:
            self._at = None
        super().migration_progress_callback(action, migration, fake)

    def _try_to_migrate(self, *args: Any, **options: Any) -> None:
        tries = 1 + settings.MIGRATION_LOCK_RETRIES
        for number in range(1, tries + 1):
            self._at = None
            try:
                super().handle(*args, **options)
            except OperationalError as error:
                reason = str(error).strip().partition("\n")[0]
                if self._at is not None and not self._at.atomic:
                    raise CommandError(_left_by(self._at, reason)) from error
                if took_too_long(error):
                    raise CommandError(
                        f"{reason}. A statement took more than MIGRATION_STATEMENT_TIMEOUT_SECONDS "
                        f"({settings.MIGRATION_STATEMENT_TIMEOUT_SECONDS:g}); its migration is undone."
                    ) from error
                if not waited_in_vain(error):
                    raise
                if number == tries:
                    raise CommandError(
                        f"{reason}. Others held a lock each of {tries} times; the migration is undone. "
                        "Try again when fewer long transactions are open."
                    ) from error
                seconds = _pause_seconds(number)
                self.stdout.write(f"\n  {reason}. The migration is undone; trying again in {seconds:.1f} s.")
                sleep(seconds)
            else:
                return

    @contextmanager
    def _alone(self, database: str) -> Iterator[None]:
        # In a transaction of another connection: the lock of a session would stay with a pooler's connection.
        holder = connections[database].copy()
        try:
            holder.set_autocommit(False)
            with holder.cursor() as cursor:
                is_first = True
                # Asking time and again, in no transaction meanwhile: whoever waits within a statement has a
                # snapshot, and an index that the other one builds concurrently waits for that to go.
                while not _has_lock(cursor):
                    holder.rollback()
                    if is_first:
                        self.stdout.write("Another process migrates this database: waiting for it to end.")
                        is_first = False
                    sleep(_ASK_AGAIN_SECONDS)
                yield
        finally:
            holder.close()


def _has_lock(cursor: Any) -> bool:
    """Take the lock until the transaction ends, unless somebody has it."""
    cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
    return bool(cursor.fetchone()[0])


def _left_by(migration: Migration, reason: str) -> str:
    """Say what to do about a migration that was interrupted, and that no transaction undoes."""
    said = f"{reason}. {migration} is not in a transaction: what it did before that stays."
    made = [each.index.name for each in migration.operations if isinstance(each, AddIndex)]
    if not made:
        return f"{said} Start again."
    drops = " ".join(f"DROP INDEX CONCURRENTLY IF EXISTS {name};" for name in made)
    return f"{said} Drop its indexes, one of which may be invalid, and start again: {drops}"


def _pause_seconds(number: int) -> float:
    """Return how long others may go by: longer from time to time, and never the same for two."""
    return min(2.0**number, 30.0) * random.uniform(0.25, 0.5)  # noqa: S311  # no secret


class _Plan:
    """What operations lock, in words. Read from the migrations when the first of them is asked for."""

    def __init__(self, database: str) -> None:
        self._connection = connections[database]
        self._loader = MigrationLoader(self._connection)
        self._steps: dict[tuple[int, bool], Step] = {}

    def lines_of(self, operation: Operation, *, backwards: bool) -> list[str]:
        # An operation belongs to its migration's class: every loader has the same one.
        if (id(operation), backwards) not in self._steps:
            self._read(operation, backwards=backwards)
        step = self._steps[id(operation), backwards]
        return [step.note] if step.note else [self._line(each) for each in step.locks]

    def _read(self, operation: Operation, *, backwards: bool) -> None:
        reader = Reader(self._connection, self._loader)
        steps = reader.backwards(self._migration_of(operation)) if backwards else reader.all_pending()
        self._steps.update({(id(step.operation), backwards): step for step in steps})

    def _migration_of(self, operation: Operation) -> tuple[str, str]:
        migrations = self._loader.graph.nodes.values()
        found = next(each for each in migrations if any(one is operation for one in each.operations))
        return found.app_label, found.name

    def _line(self, lock: Lock) -> str:
        if lock.kind == "statement":
            return f"unknown locks, read it: {lock.name}"
        size = size_of(self._connection, lock.name)
        if size is None:
            return f"{lock.mode} on {lock.name}, which isn't there yet"
        rows = "rows not counted yet" if size.rows is None else f"about {size.rows:,} rows"
        large = filesizeformat(size.size_bytes).replace("\xa0", " ")
        words = [f"{lock.mode} on {lock.name}: {rows}", large, WAITING[lock.mode], lock.work]
        return ", ".join(filter(None, words))

"""`manage.py rollbackmigrationsappliedafter "2026-03-01 08:30:00"`: the schema as it was at a moment."""

from datetime import UTC
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils.dateparse import parse_date, parse_datetime

from core.rollback import NothingBeforeError, irreversible, targets_before


class Command(BaseCommand):
    help = "Undo all migrations that were applied at a moment or later: before the release before is started."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("moment", help="An ISO date and time; UTC unless it says otherwise.")
        parser.add_argument("--plan", action="store_true", help="Only say what would be undone.")
        parser.add_argument(
            "--no-input",
            "--noinput",
            action="store_false",
            dest="interactive",
            help="Don't ask before an app loses all its tables.",
        )

    def handle(self, *args: Any, moment: str, plan: bool, interactive: bool, **options: Any) -> None:
        if parse_date(moment) is not None:
            moment = f"{moment}T00:00:00"
        at = _parsed(moment)
        executor = MigrationExecutor(connection)
        rows = MigrationRecorder.Migration.objects.values_list("app", "name", "applied")
        applied = {(app, name): applied_at for app, name, applied_at in rows}
        try:
            targets = targets_before(at.replace(tzinfo=at.tzinfo or UTC), applied, executor.loader.graph)
        except NothingBeforeError as error:
            raise CommandError(
                "All migrations were applied since: nothing would be left, so nothing was undone. After a "
                "restore all are dated at the restore: go back by `migrate APP NUMBER`."
            ) from error
        if not targets:
            self.stdout.write("No migration was applied since.")
            return
        if kept := irreversible(targets, executor):
            raise CommandError(f"Can't be undone, so nothing was: {', '.join(kept)}.")
        emptied = [app for app, name in targets if name is None]
        if emptied and interactive and not plan:
            self._ask(emptied)
        for app, name in targets:
            self.stdout.write(f"{app}: back to {name or 'before the first'}")
            if not plan:
                call_command(
                    "migrate", app, name or "zero", verbosity=options["verbosity"], interactive=False
                )

    def _ask(self, apps: list[str]) -> None:
        self.stdout.write(f"These lose all their tables, with everything in them: {', '.join(apps)}.")
        try:
            answer = input("Type 'yes' to go on: ")
        except EOFError:  # nobody is there
            answer = ""
        if answer != "yes":
            raise CommandError("Nothing was undone.")


def _parsed(text: str) -> Any:
    try:
        moment = parse_datetime(text)
    except ValueError:  # of the right form, and no day that there is
        moment = None
    if moment is None:
        raise CommandError("That is no date and time: write 2026-03-01T08:30:00.")
    return moment

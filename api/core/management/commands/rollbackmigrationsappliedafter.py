"""`manage.py rollbackmigrationsappliedafter "2026-03-01 08:30:00"`: the schema as it was at a moment."""

from datetime import UTC
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils.dateparse import parse_date, parse_datetime

from core.rollback import irreversible, targets_before


class Command(BaseCommand):
    help = "Undo all migrations that were applied at a moment or later: before the release before is started."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("moment", help="An ISO date and time; UTC unless it says otherwise.")
        parser.add_argument("--plan", action="store_true", help="Only say what would be undone.")

    def handle(self, *args: Any, moment: str, plan: bool, **options: Any) -> None:
        if parse_date(moment) is not None:
            moment = f"{moment}T00:00:00"
        at = _parsed(moment)
        executor = MigrationExecutor(connection)
        rows = MigrationRecorder.Migration.objects.values_list("app", "name", "applied")
        applied = {(app, name): applied_at for app, name, applied_at in rows}
        targets = targets_before(at.replace(tzinfo=at.tzinfo or UTC), applied, executor.loader.graph)
        if not targets:
            self.stdout.write("No migration was applied since.")
            return
        if kept := irreversible(targets, executor):
            raise CommandError(f"Can't be undone, so nothing was: {', '.join(kept)}.")
        for app, name in targets:
            self.stdout.write(f"{app}: back to {name or 'before the first'}")
            if not plan:
                call_command(
                    "migrate", app, name or "zero", verbosity=options["verbosity"], interactive=False
                )


def _parsed(text: str) -> Any:
    try:
        moment = parse_datetime(text)
    except ValueError:  # of the right form, and no day that there is
        moment = None
    if moment is None:
        raise CommandError("That is no date and time: write 2026-03-01T08:30:00.")
    return moment

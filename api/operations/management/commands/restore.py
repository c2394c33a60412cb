"""`manage.py restore FILE`: make the database what it was when a backup was taken."""

import shutil
import sys
import tempfile
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.backups import BackupError, restore_backup


class Command(BaseCommand):
    help = "Bring back what `backup` has written, as a whole or not at all. Stop Burgee's processes before."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="what `backup` has written; - for standard input")
        parser.add_argument(
            "--overwrite",
            action="store_true",
            help="replace what the database has, for good; it is refused otherwise",
        )
        parser.add_argument(
            "--other-secret-key",
            action="store_true",
            help="restore though the secret key is another one, and what is encrypted will be lost",
        )

    def handle(self, *args: Any, file: str, overwrite: bool, other_secret_key: bool, **options: Any) -> None:
        try:
            with tempfile.TemporaryFile() if file == "-" else open(file, "rb") as source:
                if file == "-":  # its table of contents stands at the end
                    shutil.copyfileobj(sys.stdin.buffer, source)
                manifest = restore_backup(source, overwrite=overwrite, other_secret_key=other_secret_key)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(table.rows for table in manifest.tables.values())
        self.stdout.write(
            f"{rows} rows are back, as of {manifest.taken_at} (Burgee {manifest.version}). All environments "
            "are published anew. Whoever was signed in to the admin signs in again."
        )

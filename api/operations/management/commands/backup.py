"""`manage.py backup FILE`: everything that the database has, as it is at this moment."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from core.routing import counts_database
from operations.backups import BackupError, write_backup


class Command(BaseCommand):
    help = "Write all that the database has to a file that `restore` takes. Nobody waits for it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a new file, which only you may read; - for standard output")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            if file == "-":
                manifest = write_backup(sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                with _new(Path(file)) as output:
                    manifest = write_backup(output)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(table.rows for table in manifest.tables.values())
        # Beside the file, which may go to standard output.
        self.stderr.write(f"{rows} rows of {len(manifest.tables)} tables, as of {manifest.taken_at}.")
        if settings.COUNTS_ARE_IN_INFLUXDB:
            self.stderr.write("Counts of requests are in InfluxDB, and not in this file.")
        if counts_database() != DEFAULT_DB_ALIAS:
            self.stderr.write(
                "Counts are in a database of their own (docs/databases.md), and not in this file."
            )


@contextmanager
def _new(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears when it is complete, and on the disk."""
    if path.exists():
        raise BackupError(f"There is a file {path} already.")
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise

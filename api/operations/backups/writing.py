"""Taking a backup, while everything else goes on."""

import zipfile
from collections.abc import Container
from datetime import UTC
from typing import IO, Any

from django.db import connection, transaction

from core.encryption import encrypted
from core.version import VERSION
from operations.backups.archive import (
    BackupError,
    Manifest,
    SavedSequence,
    SavedTable,
    add_manifest,
    entry_of,
)
from operations.backups.tables import OF_THE_MOMENT, migrations_of, sequences_of, tables_of

SEALED_TEXT = "burgee"


def write_backup(file: IO[bytes]) -> Manifest:
    """Write all tables of the database to `file`, as they are at one moment.

    Nobody waits for it, and it waits for nobody but for migrations.

    Raises:
        BackupError: the database isn't Burgee's, or has not been migrated.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        # One snapshot for all statements, from the first on.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        migrations = migrations_of(cursor)
        if "environments" not in migrations:
            raise BackupError("There is nothing to back up: this database has not been migrated.")
        tables = tables_of(cursor)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            manifest = Manifest(
                version=VERSION,
                taken_at=_now(cursor),
                postgres=_postgres(cursor),
                sealed=encrypted(SEALED_TEXT),
                migrations=migrations,
                tables={
                    table: _write_table(archive, cursor, table, columns)
                    for table, columns in tables.items()
                    if table not in OF_THE_MOMENT
                },
                # After the rows: no snapshot keeps numbers from being given, so these lie beyond all of them.
                sequences=_sequences(cursor, tables),
            )
            add_manifest(archive, manifest)
    return manifest


def _write_table(archive: zipfile.ZipFile, cursor: Any, table: str, columns: list[str]) -> SavedTable:
    quote = connection.ops.quote_name
    listed = ", ".join(map(quote, columns))
    with archive.open(entry_of(table), "w", force_zip64=True) as entry, connection.wrap_database_errors:
        # By a query: COPY of a table doesn't look into its parts.
        cursor.copy_expert(f"COPY (SELECT {listed} FROM {quote(table)}) TO STDOUT", entry)  # noqa: S608
    return SavedTable(columns, cursor.rowcount)


def _sequences(cursor: Any, tables: Container[str]) -> dict[str, dict[str, SavedSequence]]:
    found: dict[str, dict[str, SavedSequence]] = {}
    for table, column, sequence in sequences_of(cursor, tables):
        cursor.execute(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608
        found.setdefault(table, {})[column] = SavedSequence(*cursor.fetchone())
    return found


def _now(cursor: Any) -> str:
    cursor.execute("SELECT now()")
    return str(cursor.fetchone()[0].astimezone(UTC).isoformat())


def _postgres(cursor: Any) -> str:
    cursor.execute("SHOW server_version")
    return str(cursor.fetchone()[0])

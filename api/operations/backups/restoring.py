"""Bringing a database back to what a backup has, as a whole or not at all."""

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from cryptography.fernet import InvalidToken
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from core.encryption import decrypted
from core.safety import refuse_unsafe_settings
from environments.publishing import publish_all
from operations.backups.archive import BackupError, Manifest, entry_of, open_archive
from operations.backups.tables import migrations_of, sequences_of, tables_of

# For how long others may hold on to a table that is to be replaced.
_LOCK_TIMEOUT = "20s"
# PostgreSQL's codes: lock_not_available, deadlock_detected.
_IN_OTHERS_WAY = frozenset({"55P03", "40P01"})

_IN_USE = """
SELECT EXISTS (SELECT FROM users_user) OR EXISTS (SELECT FROM organisations_organisation)
"""
_KEEP_REVISIONS = """
CREATE TEMPORARY TABLE burgee_former_revision ON COMMIT DROP AS
SELECT environment_id, project_id, revision, updated_at FROM environments_environmentrevision
"""
# After the backup's revision 7 there may have been an 8, which clients and caches have seen, and which would
# be given again: so every number lies beyond those that were ever given here, and has a name that never
# was. Environments that the backup doesn't know are remembered as deleted, for workers that serve them.
_RAISE_REVISIONS = """
INSERT INTO environments_environmentrevision AS known
    (environment_id, project_id, revision, nonce, updated_at, previous_updated_at, gone)
SELECT environment_id, project_id, revision, gen_random_uuid(), updated_at, NULL, true
FROM burgee_former_revision
ON CONFLICT (environment_id) DO UPDATE SET
    revision = greatest(known.revision, excluded.revision),
    updated_at = greatest(known.updated_at, excluded.updated_at);
UPDATE environments_environmentrevision SET
    revision = revision + 1,
    nonce = gen_random_uuid(),
    updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond'),
    previous_updated_at = updated_at;
"""


def restore_backup(file: IO[bytes], *, overwrite: bool = False, other_secret_key: bool = False) -> Manifest:
    """Make the database what it was when the backup was taken, and have all SDKs read anew.

    An empty database is migrated as far as the backup's was, filled, and migrated to what this Burgee needs.
    Any other must have the backup's migrations.

    Args:
        overwrite: whether what the database has may be replaced.
        other_secret_key: whether what is encrypted may be lost.

    Raises:
        BackupError: the file is no backup, or damaged; the database has content, or other migrations; a later
            Burgee has made the backup; it was made with another secret key. Nothing is changed then.
        ImproperlyConfigured: `migrate` would refuse to run. Nothing is changed either.
    """
    refuse_unsafe_settings()
    archive, manifest = open_archive(file)
    with archive:
        if not other_secret_key:
            _check_secret_key(manifest)
        _check_versions(manifest)
        if _is_empty():
            _migrate_as_far_as(manifest)
        else:
            _check_content(manifest, overwrite=overwrite)
        _replace(archive, manifest)
    call_command("migrate", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    publish_all()
    return manifest


def _check_secret_key(manifest: Manifest) -> None:
    try:
        decrypted(manifest.sealed)
    except (InvalidToken, UnicodeEncodeError) as error:
        raise BackupError(
            "The backup was made with another DJANGO_SECRET_KEY, without which nobody can read what is "
            "encrypted in it: secrets of webhooks and integrations, second factors. Set it, or name it in "
            "DJANGO_SECRET_KEY_FALLBACKS; --other-secret-key restores all the same."
        ) from error


def _check_versions(manifest: Manifest) -> None:
    known = MigrationExecutor(connection).loader.disk_migrations or {}
    unknown = [
        f"{app}.{name}"
        for app, names in manifest.migrations.items()
        for name in names
        if (app, name) not in known and not _is_squashed(app, name, known)
    ]
    if unknown:
        raise BackupError(
            f"The backup is of Burgee {manifest.version} and has {unknown[0]}, which this one doesn't know. "
            "Restore it with that version or a later one."
        )


def _is_squashed(app: str, name: str, known: Mapping[tuple[str, str], Any]) -> bool:
    return any((app, name) in migration.replaces for migration in known.values())


def _is_empty() -> bool:
    with connection.cursor() as cursor:
        return not migrations_of(cursor)


def _migrate_as_far_as(manifest: Manifest) -> None:
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    wanted = {(app, name) for app, names in manifest.migrations.items() for name in names} & set(graph.nodes)
    last = [
        node
        for node in sorted(wanted)
        if not any(child.key in wanted and child.key[0] == node[0] for child in graph.node_map[node].children)
    ]
    executor.migrate(last)


def _check_content(manifest: Manifest, *, overwrite: bool) -> None:
    with connection.cursor() as cursor:
        if migrations_of(cursor) != manifest.migrations:
            raise BackupError(
                f"The backup is of Burgee {manifest.version}, with other migrations than this database has. "
                "Restore it into a new, empty database, which is then migrated."
            )
        cursor.execute(_IN_USE)
        if cursor.fetchone()[0] and not overwrite:
            raise BackupError("The database has content. --overwrite replaces all of it, for good.")


def _replace(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            columns = tables_of(cursor)
            tables = list(columns)
            for table, saved in manifest.tables.items():
                if table not in columns:
                    raise BackupError(f"The database has no table {table}.")
                if unknown := set(saved.columns) - set(columns[table]):
                    raise BackupError(f"The database's table {table} has no column {min(unknown)}.")
            with _nothing_but_rows(cursor, tables):
                cursor.execute(_KEEP_REVISIONS)
                cursor.execute(f"TRUNCATE {_listed(tables)}")
                for table, saved in manifest.tables.items():
                    _fill(cursor, archive, table, saved.columns, saved.rows)
                _raise_sequences(cursor, manifest)
                cursor.execute(_RAISE_REVISIONS)
                # Now, not at commit: triggers can't be changed while a table waits for its checks.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) in _IN_OTHERS_WAY:
            raise BackupError("The database is in use: stop Burgee's processes, and try again.") from error
        raise
    except DatabaseError as error:
        raise BackupError(f"The backup can't be taken in: {_reason(error)}.") from error


def _reason(error: DatabaseError) -> str:
    """Return what PostgreSQL objects to, without the values that its messages about data quote."""
    cause = error.__cause__
    if (getattr(cause, "pgcode", None) or "22").startswith("22"):  # data exceptions
        context = getattr(getattr(cause, "diag", None), "context", None) or ""
        where = re.match(r"COPY \w+, line \d+", context)
        return " in ".join([type(cause).__name__, *([where[0]] if where else [])])
    return str(error).partition("\n")[0]


@contextmanager
def _nothing_but_rows(cursor: Any, tables: Sequence[str]) -> Iterator[None]:
    """Let no trigger of ours fire: nothing is published, remembered or added of what only comes back.

    Foreign keys are checked as ever. For that a table's owner suffices, who needs no rights beyond.
    """
    quote = connection.ops.quote_name
    cursor.execute(f"LOCK TABLE {_listed(tables)} IN ACCESS EXCLUSIVE MODE")
    for table in tables:
        cursor.execute(f"ALTER TABLE {quote(table)} DISABLE TRIGGER USER")
    yield
    for table in tables:
        cursor.execute(f"ALTER TABLE {quote(table)} ENABLE TRIGGER USER")


def _fill(cursor: Any, archive: zipfile.ZipFile, table: str, columns: Sequence[str], rows: int) -> None:
    quote = connection.ops.quote_name
    listed = ", ".join(map(quote, columns))
    with archive.open(entry_of(table)) as entry, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {quote(table)} ({listed}) FROM STDIN", entry)
    if cursor.rowcount != rows:
        raise BackupError(
            f"The backup is damaged: {table} has {cursor.rowcount} rows and should have {rows}."
        )


def _raise_sequences(cursor: Any, manifest: Manifest) -> None:
    """Have numbers go on beyond the backup's, and never again from below those that were given here since.

    No transaction takes that back, so a restore that fails must have done no harm. And counts that are kept
    elsewhere still have the numbers of environments that are gone.
    """
    for table, column, sequence in sequences_of(cursor, manifest.tables):
        if saved := manifest.sequences.get(table, {}).get(column):
            cursor.execute(
                f"SELECT setval(%s, greatest(last_value, %s), is_called OR %s) FROM {sequence}",  # noqa: S608
                [sequence, saved.last_value, saved.is_called],
            )


def _listed(tables: Sequence[str]) -> str:
    return ", ".join(map(connection.ops.quote_name, tables))

"""What a backup's file has in it.

    manifest.json                  what the backup is of; written last
    tables/<name of the table>     its rows, as PostgreSQL's COPY writes them: text, in UTF-8

Each part carries a checksum, which is looked at when it is read; a file that was cut off has no end, and
isn't taken for a backup.
"""

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any

FORMAT = 1
KIND = "burgee backup"

_MANIFEST = "manifest.json"


class BackupError(Exception):
    """It can't be written, or not be restored. The message says why, for people."""


@dataclass(frozen=True)
class SavedTable:
    """What the archive has of a table. `rows` is how many."""

    columns: Sequence[str]
    rows: int


@dataclass(frozen=True)
class SavedSequence:
    """How far numbers were given: `last_value` is the last one where `is_called`, otherwise the next."""

    last_value: int
    is_called: bool


@dataclass(frozen=True)
class Manifest:
    """What a backup is of.

    Attributes:
        version: of Burgee.
        taken_at: ISO 8601; what was committed before is in it.
        postgres: the server's version, for people.
        sealed: a known text, encrypted with the installation's secret key.
        migrations: those that had been applied, by app.
        sequences: by table and column.
    """

    version: str
    taken_at: str
    postgres: str
    sealed: str
    migrations: Mapping[str, Sequence[str]]
    tables: Mapping[str, SavedTable]
    sequences: Mapping[str, Mapping[str, SavedSequence]]


def entry_of(table: str) -> str:
    return f"tables/{table}"


def add_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    content = {"kind": KIND, "format": FORMAT, **asdict(manifest)}
    archive.writestr(_MANIFEST, json.dumps(content, indent=1))


def open_archive(file: IO[bytes]) -> tuple[zipfile.ZipFile, Manifest]:
    """Open a backup's file.

    Raises:
        BackupError: it is none, is incomplete, or is of a form that only a later Burgee knows.
    """
    try:
        archive = zipfile.ZipFile(file)
        content = json.loads(archive.read(_MANIFEST))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BackupError("This is no backup of Burgee's, or not all of one.") from error
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise BackupError("This is no backup of Burgee's.")
    if (form := content.get("format")) != FORMAT:
        raise BackupError(
            f"The backup has the form {form}; this Burgee reads {FORMAT}. Take the one that made it."
        )
    try:
        manifest = _manifest(content)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise BackupError("The backup's manifest isn't one that Burgee has written.") from error
    if missing := {entry_of(table) for table in manifest.tables} - set(archive.namelist()):
        raise BackupError(f"The backup lacks {', '.join(sorted(missing))}.")
    _check_parts(archive)
    return archive, manifest


def _manifest(content: Any) -> Manifest:
    return Manifest(
        version=str(content["version"]),
        taken_at=str(content["taken_at"]),
        postgres=str(content["postgres"]),
        sealed=str(content["sealed"]),
        migrations={app: list(map(str, names)) for app, names in content["migrations"].items()},
        tables={
            name: SavedTable(list(map(str, table["columns"])), int(table["rows"]))
            for name, table in content["tables"].items()
        },
        sequences={
            table: {
                column: SavedSequence(int(each["last_value"]), bool(each["is_called"]))
                for column, each in columns.items()
            }
            for table, columns in content["sequences"].items()
        },
    )


def _check_parts(archive: zipfile.ZipFile) -> None:
    """Read everything once, before anything is replaced by it."""
    try:
        damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BackupError(f"The backup is damaged: {error}.") from error
    if damaged is not None:
        raise BackupError(f"The backup is damaged: {damaged} isn't what was written.")

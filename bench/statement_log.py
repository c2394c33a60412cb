"""Statements as PostgreSQL logs them, whichever process has sent them."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

LOGGED_WITHIN_SECONDS = 0.5
_MARK = "|burgee-bench|"


class StatementLog:
    """What PostgreSQL has logged since it was last asked about."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = path.stat().st_size

    def new(self) -> list[str]:
        """Return the statements, without what may differ from one time to another."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            text = file.read().decode(errors="replace")
            self._read = file.tell()
        entries = [entry.removeprefix("LOG:  statement: ") for entry in text.split(_MARK)]
        return [_shape(entry) for entry in entries if entry and not entry.startswith("LOG:")]


def _shape(statement: str) -> str:
    text = re.sub(r"'(?:[^']|'')*'|\b\d+\b", "?", " ".join(statement.split()))
    return re.sub(r"\?(?:, \?)+", "?", text)


@contextmanager
def logged(folder: Path) -> Iterator[StatementLog]:
    """Have every statement logged inside the block.

    Args:
        folder: the run's.
    """
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET log_statement = 'all'")
        cursor.execute(f"ALTER SYSTEM SET log_line_prefix = '{_MARK}'")
        cursor.execute("SELECT pg_reload_conf()")
        time.sleep(LOGGED_WITHIN_SECONDS)
        try:
            yield StatementLog(folder / "postgres" / "log")
        finally:
            cursor.execute("ALTER SYSTEM RESET ALL")
            cursor.execute("SELECT pg_reload_conf()")

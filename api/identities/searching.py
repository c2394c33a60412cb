"""Searching identities by a part of their identifier: a time limit, and the index that makes it fast.

Only trigrams find parts of a text by an index. They come with PostgreSQL's extension pg_trgm, which not every
server has and which nothing else here needs: so the index is made by whoever operates the database, with
`manage.py indexidentifiers`, and isn't known to migrations.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, connection, transaction

from core.errors import InvalidInput

INDEX_NAME = "identity_parts"
# What Django writes for `icontains`: an index on another expression wouldn't be used.
_EXPRESSION = "UPPER(identifier::text)"

_QUERY_CANCELED = "57014"
_TOOK_TOO_LONG = (
    "Searching all identifiers for a part of one takes too long here. Put a whole identifier in double "
    "quotes: that finds exactly it, at once. Or let an operator run `manage.py indexidentifiers`, once."
)


def quoted(text: str) -> str | None:
    """Return what stands in double quotes, if all of a search does: just that identifier is wanted."""
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] == '"' else None


class ExtensionMissing(Exception):
    """The database server doesn't have pg_trgm."""


@contextmanager
def search_time_limit() -> Iterator[None]:
    """Let no statement of the block take longer than IDENTITY_SEARCH_SECONDS.

    Raises:
        InvalidInput: one did.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            milliseconds = int(settings.IDENTITY_SEARCH_SECONDS * 1000)
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            yield
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != _QUERY_CANCELED:
            raise
        raise InvalidInput({"q": [_TOOK_TOO_LONG]}) from error


def make_index() -> None:
    """Make the index, without holding up anybody who writes; takes seconds for a million identities.

    Outside of transactions.

    Raises:
        ExtensionMissing: the server has no trigrams.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if cursor.fetchone() is None:
            raise ExtensionMissing
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        # One that was interrupted stands there, of no use to anyone.
        cursor.execute(
            "SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid", [INDEX_NAME]
        )
        if cursor.fetchone() is not None:
            drop_index()
        cursor.execute(
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {INDEX_NAME} "
            f"ON identities_identity USING gin (({_EXPRESSION}) gin_trgm_ops)"
        )
        cursor.execute("ANALYZE identities_identity")


def drop_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX_NAME}")

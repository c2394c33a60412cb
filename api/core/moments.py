"""Reading what belongs together as it was at one moment.

Each statement by itself sees what is committed when it begins: between two of them somebody may replace what
the second one reads.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction


@contextmanager
def one_moment(database: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Let all reads see the database as it is at the first of them, unless a transaction is open already."""
    connection = connections[database]
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(using=database):
        # For this transaction alone: what is set for a connection stays with it, and behind a pooler
        # somebody else has that connection next. The driver's own way sends six statements besides.
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield

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
    connection.ensure_connection()
    line = connection.connection
    # The driver says so when it begins, which spares a statement.
    with connection.wrap_database_errors:
        line.set_session("REPEATABLE READ", readonly=True)
    try:
        with transaction.atomic(using=database):
            yield
    finally:
        if not line.closed:
            line.set_session("DEFAULT", readonly="DEFAULT")

"""Tables of counts have a part for each week, so that what is old goes with its part, however much that is.

Deleting row by row would leave the table to be cleaned up, and take as long as writing did. Weeks begin on
Monday, in UTC, and their parts are made some weeks ahead. What belongs to none of them, because no worker has
run for long or a clock is wrong, is kept in a part of its own: nothing is ever refused.

The first part has no beginning. It is what there was before tables had parts, and is dropped like the others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from django.utils import timezone

from core.routing import counts_database

WEEK = timedelta(days=7)
WEEKS_AHEAD = 4
_DELETED_AT_ONCE = 10_000
# Whoever wants a table waits behind whoever waits to drop a part of it: so that mustn't take long.
_LOCK_TIMEOUT = "2s"

_PARTS = r"""
    SELECT
        part.relname, bound LIKE 'FOR VALUES FROM (''%%',
        (regexp_match(bound, 'TO \(''(.+)''\)'))[1]::timestamptz
    FROM pg_inherits
    JOIN pg_class AS part ON part.oid = inhrelid, pg_get_expr(relpartbound, part.oid) AS bound
    WHERE inhparent = %s::regclass
    ORDER BY 3
"""
# Made apart and attached, which keeps nobody from writing to other weeks.
_CREATE = """
    CREATE TABLE {part} (LIKE {table} INCLUDING ALL);
    LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE;
    WITH moved AS (
        DELETE FROM {rest} WHERE started_at >= %(begins)s AND started_at < %(ends)s RETURNING *
    ) INSERT INTO {part} SELECT * FROM moved;
    ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM (%(begins)s) TO (%(ends)s);
"""
_DELETE = """
    DELETE FROM {part} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {part} WHERE started_at < %s LIMIT {number}))
"""


class Part(NamedTuple):
    """A part of a table. `ends_at` is None for what belongs nowhere else."""

    name: str
    has_beginning: bool
    ends_at: datetime | None


def parts_of(model: type[Model]) -> list[Part]:
    """Return the parts of a table, the oldest first."""
    with connections[counts_database()].cursor() as cursor:
        cursor.execute(_PARTS, [model._meta.db_table])
        return [Part(*row) for row in cursor.fetchall()]


def make_parts(model: type[Model], *, now: datetime | None = None) -> None:
    """Make the parts of this week and those ahead that aren't there yet.

    Raises:
        OperationalError: as `drop_old_parts`.
    """
    ends = [part.ends_at for part in parts_of(model) if part.ends_at]
    table = model._meta.db_table
    for monday in _mondays(ends, now or timezone.now()):
        sql = _CREATE.format(table=table, part=f"{table}_{monday:%Y%m%d}", rest=f"{table}_rest")
        with _changing_tables() as cursor:
            cursor.execute(sql, {"begins": monday, "ends": monday + WEEK})


def drop_old_parts(model: type[Model], age: timedelta, *, now: datetime | None = None) -> None:
    """Drop what began longer ago than `age`; of a week that is partly so, nothing yet.

    Raises:
        OperationalError: somebody else has used the table for seconds. Nothing is wrong: try later.
    """
    before = (now or timezone.now()) - age
    for part in parts_of(model):
        if part.ends_at and part.ends_at <= before:
            with _changing_tables() as cursor:
                cursor.execute(f"DROP TABLE {part.name}")
        elif not part.has_beginning:
            _delete_before(before, part)


@contextmanager
def _changing_tables() -> Iterator[CursorWrapper]:
    with transaction.atomic(using=counts_database()), connections[counts_database()].cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        yield cursor


def _mondays(ends: list[datetime], now: datetime) -> Iterator[datetime]:
    """Yield the beginnings of weeks from where the parts end, or this week, to those ahead."""
    this = datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=now.weekday())
    monday = max([this, *ends])
    while monday <= this + WEEKS_AHEAD * WEEK:
        yield monday
        monday += WEEK


def _delete_before(moment: datetime, part: Part) -> None:
    sql = _DELETE.format(part=part.name, number=_DELETED_AT_ONCE)
    with connections[counts_database()].cursor() as cursor:
        deleted = _DELETED_AT_ONCE
        while deleted == _DELETED_AT_ONCE:
            cursor.execute(sql, [moment])
            deleted = cursor.rowcount

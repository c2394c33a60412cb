"""How large the database is, how fast it has grown, and how large it will be if that goes on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from operations.models import TableSize

# A week has every day that differs from others in it.
REMEMBERED_DAYS = 7
FORECAST_DAYS = 30
# From less than that nobody can tell a day's growth.
_LEAST = timedelta(hours=12)
_KEPT = timedelta(days=400)

_TABLES = """
    SELECT
        whole.relname, coalesce(sum(pg_total_relation_size(part.oid)), 0)::bigint,
        sum(greatest(part.reltuples, 0))::bigint
    FROM pg_class AS part
    JOIN pg_class AS whole ON whole.oid = coalesce(pg_partition_root(part.oid), part.oid)
    WHERE part.relkind IN ('r', 'm') AND pg_table_is_visible(whole.oid)
        AND part.relnamespace = current_schema()::regnamespace
    GROUP BY whole.relname
    ORDER BY 2 DESC, 1
"""
_DATABASE = "SELECT pg_database_size(current_database())"
_REMEMBER = """
    INSERT INTO operations_tablesize (measured_at, "table", bytes, rows)
    SELECT now(), * FROM ({tables}) AS tables
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Size:
    """How large something is. What it grows by is None as long as nothing is known of the days before.

    What it will be is no more than the line through then and now: what old rows leave is filled again.
    """

    bytes: int
    bytes_a_day: int | None = None

    @property
    def expected_bytes(self) -> int | None:
        return None if self.bytes_a_day is None else max(self.bytes + FORECAST_DAYS * self.bytes_a_day, 0)


@dataclass(frozen=True)
class SizeOfTable(Size):
    table: str = ""
    rows: int = 0


@dataclass(frozen=True)
class Sizes:
    """All of them. `measured_days`: how old the sizes are that growth is told from; None without such."""

    measured_days: float | None
    database: Size
    tables: list[SizeOfTable]


def table_sizes() -> list[tuple[str, int, int]]:
    """Return each table with its size in bytes and about how many rows it has, the largest first."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return list(cursor.fetchall())


def database_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_DATABASE)
        return int(cursor.fetchone()[0])


def sizes() -> Sizes:
    """Return how large everything is now, beside what is remembered of the last week."""
    now = timezone.now()
    then = _remembered_at(now)
    if then is None:
        return Sizes(
            None,
            Size(database_bytes()),
            [SizeOfTable(size, None, table, rows) for table, size, rows in table_sizes()],
        )
    days = (now - then) / timedelta(days=1)
    before = dict(TableSize.objects.filter(measured_at=then).values_list("table", "bytes"))
    tables = [
        SizeOfTable(size, round((size - before.get(table, 0)) / days), table, rows)
        for table, size, rows in table_sizes()
    ]
    return Sizes(round(days, 1), Size(database_bytes(), _sum_of_growth(tables)), tables)


def remember_sizes() -> None:
    """Keep how large everything is now, and forget what nobody compares with any more."""
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER.format(tables=_TABLES))
    TableSize.objects.filter(measured_at__lt=timezone.now() - _KEPT).delete()


def _remembered_at(now: datetime) -> datetime | None:
    """Return when the oldest sizes were remembered that growth is told from."""
    lately = TableSize.objects.filter(
        measured_at__gte=now - timedelta(days=REMEMBERED_DAYS, hours=1), measured_at__lte=now - _LEAST
    )
    oldest: datetime | None = lately.aggregate(oldest=Min("measured_at"))["oldest"]
    return oldest


def _sum_of_growth(tables: Iterable[SizeOfTable]) -> int:
    return sum(table.bytes_a_day or 0 for table in tables)

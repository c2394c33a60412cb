"""Writing many rows at once."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections, models, router


def write_columns(rows: Sequence[models.Model], fields: Iterable[str]) -> None:
    """Write these fields of all `rows`, of one model, in one statement.

    Django's `bulk_update` asks of each row for each field whether it is this one: its time grows with the
    square of their number. This joins the rows to what they become. `auto_now` isn't seen to.
    """
    if not rows:
        return
    options = rows[0]._meta
    columns: list[Any] = [options.get_field(name) for name in fields]
    connection = connections[router.db_for_write(type(rows[0]))]
    quote = connection.ops.quote_name
    key: Any = options.pk
    arrays = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]
        for field in (key, *columns)
    ]
    new = ", ".join(f"%s::{field.rel_db_type(connection)}[]" for field in (key, *columns))
    names = ", ".join(quote(field.column) for field in (key, *columns))
    assignments = ", ".join(f"{quote(field.column)} = new.{quote(field.column)}" for field in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(options.db_table)} AS old SET {assignments} "  # noqa: S608  # names of models
            f"FROM unnest({new}) AS new ({names}) "
            f"WHERE old.{quote(key.column)} = new.{quote(key.column)}",
            arrays,
        )

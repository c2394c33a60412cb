"""Letting those who change the same thing wait for each other.

A row that others hang on is locked before them, so that everybody takes locks in the same order, and what
was read before a lock is read again after it: it may have been changed, or be gone.
"""

from collections.abc import Iterable

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models

from core.errors import GoneError


def take(row: models.Model) -> None:
    """Let others who change this object wait until the transaction ends.

    A model whose rows are changed together with the row that they hang on names that one,
    `changes_with = "feature"`. It is locked first, and with it all else that is changed together with it.

    Raises:
        GoneError: it was deleted.
    """
    if above := getattr(row, "changes_with", None):
        take(getattr(row, above))
    _lock(row, "FOR NO KEY UPDATE")


def reread(row: models.Model, columns: Iterable[str] = ()) -> None:
    """Let others who change this row wait until the transaction ends, and read `columns` as they then are.

    Records of a change say what was there before; what the caller has in memory may be older.

    Raises:
        ObjectDoesNotExist: there is no such row, not even one that is marked as deleted.
    """
    rows = type(row)._base_manager.select_for_update(no_key=True)
    row.refresh_from_db(fields=[row._meta.pk.name, *columns], from_queryset=rows)


def hold(row: models.Model) -> None:
    """Keep an object from being changed or deleted until the transaction ends, while others may hold it too.

    Raises:
        GoneError: it was deleted.
    """
    _lock(row, "FOR SHARE")


def _lock(row: models.Model, strength: str) -> None:
    # By hand: Django knows no FOR SHARE. Looked at with the lock held, so what it says is true from here on.
    quote = connection.ops.quote_name
    key = quote(str(row._meta.pk.column))
    mark = "deleted_at IS NULL" if _is_marked(row) else "TRUE"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {mark} FROM {quote(row._meta.db_table)} "  # noqa: S608  # names are the models'
            f"WHERE {key} = %s {strength}",
            [row.pk],
        )
        if cursor.fetchone() != (True,):
            raise GoneError


def _is_marked(row: models.Model) -> bool:
    """Whether rows of this kind are deleted by marking them."""
    try:
        row._meta.get_field("deleted_at")
    except FieldDoesNotExist:
        return False
    return True

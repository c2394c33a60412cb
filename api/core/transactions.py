"""The database's transactions: what was written together."""

from typing import Any

from django.db import models


class TransactionIdField(models.Field):
    """PostgreSQL's xid8: the number of a transaction, never used twice by one database."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return None if value is None else str(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)


class CurrentTransaction(models.Func):
    """The number of the transaction that this is part of."""

    template = "pg_current_xact_id()"
    output_field = TransactionIdField()

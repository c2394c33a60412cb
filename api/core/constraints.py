"""A constraint that Django has no class for: unique, partial and deferrable at once."""

from typing import Any

from django.db import models
from django.db.backends.ddl_references import Statement, Table
from django.db.models import Q
from django.db.models.constraints import BaseConstraint
from django.db.models.sql import Query


class DeferrableUniqueConstraint(BaseConstraint):
    """No two rows that meet `condition` agree in all `fields`, checked at commit.

    PostgreSQL's unique indexes are partial or deferrable, never both; an exclusion constraint over
    a b-tree is both, and swapping two rows' places then needs no detour over a third.
    """

    def __init__(self, *, fields: list[str], condition: Q, name: str, **options: Any) -> None:
        self.fields = fields
        self.condition = condition
        super().__init__(name=name, **options)

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        columns = ", ".join(
            f"{schema_editor.quote_name(model._meta.get_field(field).column)} WITH =" for field in self.fields
        )
        query = Query(model, alias_cols=False)
        compiler = query.get_compiler(connection=schema_editor.connection)
        where, parameters = query.build_where(self.condition).as_sql(compiler, schema_editor.connection)
        where = where % tuple(schema_editor.quote_value(parameter) for parameter in parameters)
        return (
            f"CONSTRAINT {schema_editor.quote_name(self.name)} EXCLUDE USING btree ({columns}) "
            f"WHERE ({where}) DEFERRABLE INITIALLY DEFERRED"
        )

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        return Statement(
            "ALTER TABLE %(table)s ADD %(constraint)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            constraint=self.constraint_sql(model, schema_editor),
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return schema_editor._delete_constraint_sql(
            schema_editor.sql_delete_check, model, schema_editor.quote_name(self.name)
        )

    def validate(
        self, model: Any, instance: models.Model, exclude: Any = None, using: str = "default"
    ) -> None:
        """Nothing to do early: only the state at commit counts."""

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "fields": self.fields, "condition": self.condition}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeferrableUniqueConstraint) and self.deconstruct() == other.deconstruct()

    __hash__ = BaseConstraint.__hash__

"""Which tables a database has, and what a backup takes of them."""

from collections import defaultdict
from collections.abc import Container

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

_TABLES = """
SELECT relation.relname, array_agg(attribute.attname ORDER BY attribute.attnum)
FROM pg_class AS relation
JOIN pg_attribute AS attribute
    ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
    AND attribute.attgenerated = ''
WHERE relation.relnamespace = current_schema()::regnamespace
    AND relation.relkind IN ('r', 'p') AND NOT relation.relispartition
GROUP BY relation.relname
ORDER BY relation.relname
"""
_SEQUENCES = """
SELECT relation.relname, attribute.attname, sequence.oid::regclass::text
FROM pg_class AS sequence
JOIN pg_depend AS dependency
    ON dependency.objid = sequence.oid AND dependency.classid = 'pg_class'::regclass
    AND dependency.refclassid = 'pg_class'::regclass AND dependency.deptype IN ('a', 'i')
JOIN pg_class AS relation ON relation.oid = dependency.refobjid
JOIN pg_attribute AS attribute
    ON attribute.attrelid = relation.oid AND attribute.attnum = dependency.refobjsubid
WHERE sequence.relkind = 'S' AND relation.relnamespace = current_schema()::regnamespace
    AND NOT relation.relispartition
"""

# What a running transaction has touched.
_ITS_OWN = frozenset({"environments_touch"})
# Sessions and counted attempts: after a restore people sign in again.
OF_THE_MOMENT = frozenset({"django_session", "core_throttlecounter"})

# A column's sequence: table, column, and the sequence's name, which SQL can take as it is.
Sequence = tuple[str, str, str]


def tables_of(cursor: CursorWrapper) -> dict[str, list[str]]:
    """Return the columns of each table that a backup is about, by the table's name.

    Others aren't ours to read or to empty: those of caches, and those of another program in the same schema.
    """
    cursor.execute(_TABLES)
    ours = _of_migrations() - _ITS_OWN
    return {name: columns for name, columns in cursor.fetchall() if name in ours}


def sequences_of(cursor: CursorWrapper, tables: Container[str]) -> list[Sequence]:
    cursor.execute(_SEQUENCES)
    return [found for found in cursor.fetchall() if found[0] in tables]


def migrations_of(cursor: CursorWrapper) -> dict[str, list[str]]:
    """Return the names of the migrations that have been applied, by app. Empty for an empty database."""
    cursor.execute("SELECT to_regclass(%s)", [MigrationRecorder.Migration._meta.db_table])
    if cursor.fetchone()[0] is None:
        return {}
    cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    applied: dict[str, list[str]] = defaultdict(list)
    for app, name in cursor.fetchall():
        applied[app].append(name)
    return dict(applied)


def _of_migrations() -> set[str]:
    """Return the tables of all models as of the migrations that have been applied.

    Not of today's models: the backup of an earlier Burgee may have a table that a later migration drops.
    """
    loader = MigrationLoader(connection)
    applied = [migration for migration in loader.applied_migrations if migration in loader.graph.nodes]
    models = loader.project_state(applied).apps.get_models(include_auto_created=True)
    return {model._meta.db_table for model in models}

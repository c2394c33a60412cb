"""Which tables a database has, and what a backup takes of them."""

from collections import defaultdict

from django.conf import settings
from django.db.backends.utils import CursorWrapper
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

# The first is what a running transaction has touched, the second what was migrated: who restores does that
# himself. Sessions and counted attempts are of the moment: after a restore people sign in again.
_ITS_OWN = frozenset({"environments_touch", "django_migrations"})
OF_THE_MOMENT = frozenset({"django_session", "core_throttlecounter"})

# A column's sequence: table, column, and the sequence's name, which SQL can take as it is.
Sequence = tuple[str, str, str]


def tables_of(cursor: CursorWrapper) -> dict[str, list[str]]:
    """Return the columns of each table that a backup is about, by the table's name."""
    cursor.execute(_TABLES)
    left_out = _ITS_OWN | _caches()
    return {name: columns for name, columns in cursor.fetchall() if name not in left_out}


def sequences_of(cursor: CursorWrapper) -> list[Sequence]:
    cursor.execute(_SEQUENCES)
    found: list[Sequence] = cursor.fetchall()
    return found


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


def _caches() -> frozenset[str]:
    """Return the tables of caches that are kept in the database: what is in them can be made anew."""
    return frozenset(
        cache["LOCATION"]
        for cache in settings.CACHES.values()
        if cache.get("BACKEND", "").endswith(".DatabaseCache") and cache.get("LOCATION")
    )

"""What each operation of a migration locks, and how large that is: before anybody runs it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from core.migrating.statements import MODES, Lock, created_by, locks_of


@dataclass(frozen=True)
class Step:
    """An operation, and what it says to the database.

    Attributes:
        statements: empty where `note` says why.
        locks: the strongest of each table that there was before, and whatever isn't known.
    """

    migration: Migration
    operation: Operation
    statements: tuple[str, ...] = ()
    locks: tuple[Lock, ...] = ()
    note: str = ""


class Reader:
    """Reads migrations as the SQL that they would run on a database.

    It follows the order of the migrations: reading one after the other is faster than in any other order.
    """

    def __init__(self, connection: BaseDatabaseWrapper, loader: MigrationLoader | None = None) -> None:
        self._connection = connection
        self._loader = loader or MigrationLoader(connection)
        self._new_tables: set[str] = set()

    def all_pending(self) -> Iterator[Step]:
        """Read what isn't applied yet."""
        applied = self._loader.applied_migrations
        yield from self.forwards([each for each in self.ordered() if each not in applied])

    def forwards(self, keys: Iterable[tuple[str, str]]) -> Iterator[Step]:
        """Read migrations, which stand in an order that they could be applied in."""
        state = ProjectState(real_apps=self._loader.unmigrated_apps)
        done: set[tuple[str, str]] = set()
        for key in keys:
            migration = self._loader.graph.nodes[key]
            for before in self._loader.graph.forwards_plan(key)[:-1]:
                if before not in done:
                    state = self._loader.graph.nodes[before].mutate_state(state, preserve=False)
                    done.add(before)
            done.add(key)
            with self._editor(migration) as editor:
                for operation in migration.operations:
                    earlier = state.clone()
                    operation.state_forwards(migration.app_label, state)
                    yield self._read(migration, operation, editor, earlier, state)

    def backwards(self, key: tuple[str, str]) -> Iterator[Step]:
        """Read one migration as it is taken back, its operations in the order in which that happens."""
        migration = self._loader.graph.nodes[key]
        state = self._loader.project_state(key, at_end=False)
        states = []
        for operation in migration.operations:
            before = state.clone()
            operation.state_forwards(migration.app_label, state)
            states.append((operation, before, state.clone()))
        with self._editor(migration) as editor:
            for operation, before, after in reversed(states):
                yield self._read(migration, operation, editor, after, before, backwards=True)

    def ordered(self) -> Iterator[tuple[str, str]]:
        """Give all migrations that there are, each after those that it depends on."""
        seen: set[tuple[str, str]] = set()
        for leaf in self._loader.graph.leaf_nodes():
            for key in self._loader.graph.forwards_plan(leaf):
                if key not in seen:
                    seen.add(key)
                    yield key

    @contextmanager
    def _editor(self, migration: Migration) -> Iterator[Any]:
        # Without a transaction: nothing is run in it.
        editor: Any = self._connection.schema_editor(collect_sql=True, atomic=False)
        with editor:
            yield editor
            editor.deferred_sql.clear()

    def _read(
        self,
        migration: Migration,
        operation: Operation,
        editor: Any,
        before: ProjectState,
        after: ProjectState,
        *,
        backwards: bool = False,
    ) -> Step:
        if not operation.reduces_to_sql:
            return Step(migration, operation, note="runs Python: read it")
        said = len(editor.collected_sql)
        run = operation.database_backwards if backwards else operation.database_forwards
        try:
            run(migration.app_label, editor, before, after)
        except Exception as error:  # noqa: BLE001  # operations look into tables that may not be there yet
            return Step(
                migration, operation, note=f"can't be told before what stands above is applied ({error})"
            )
        statements = (*editor.collected_sql[said:], *(str(each) for each in editor.deferred_sql))
        editor.deferred_sql.clear()
        self._new_tables.update(name for each in statements for name in created_by(each))
        return Step(migration, operation, statements, tuple(self._strongest(statements)))

    def _strongest(self, statements: Iterable[str]) -> Iterable[Lock]:
        strongest: dict[str, Lock] = {}
        for lock in (each for sql in statements for taken in locks_of(sql) for each in self._resolved(taken)):
            known = strongest.get(lock.name, lock)
            stronger = min(known, lock, key=lambda each: MODES.index(each.mode))
            strongest[lock.name] = replace(stronger, work=known.work or lock.work)
        return strongest.values()

    def _resolved(self, lock: Lock) -> Iterator[Lock]:
        """Give a lock by the names of its tables, without those that nobody else could want."""
        if lock.kind in _TABLES_OF:
            found = self._names(_TABLES_OF[lock.kind], lock.name)
            yield from (replace(lock, name=name, kind="table") for name in found)
        elif lock.kind == "statement":
            yield lock
        elif lock.name in self._new_tables:
            return
        elif not lock.trigger or self._names(_TRIGGER, lock.name, lock.trigger):
            yield lock

    def _names(self, sql: str, *parameters: str) -> list[str]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return [row[0] for row in cursor.fetchall()]


@dataclass(frozen=True)
class Size:
    """A table's size.

    Attributes:
        rows: as the database has counted them last; None: it hasn't yet.
        size_bytes: with indexes.
    """

    rows: int | None
    size_bytes: int


def size_of(connection: BaseDatabaseWrapper, table: str) -> Size | None:
    """Return a table's size, of a partitioned one that of its parts; None where there is no such table."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZE, {"table": table})
        rows, size_bytes = cursor.fetchone()
    return None if size_bytes is None else Size(rows, size_bytes)


_SIZE = """
    SELECT sum(nullif(reltuples, -1))::bigint, sum(pg_total_relation_size(oid))::bigint FROM pg_class
    WHERE relkind = 'r' AND oid IN (
        SELECT to_regclass(quote_ident(%(table)s))
        UNION SELECT relid FROM pg_partition_tree(to_regclass(quote_ident(%(table)s)))
    )
"""
_TABLES_OF = {
    "index": """
        SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
        WHERE indexrelid = to_regclass(quote_ident(%s))
    """,
    # The one that a foreign key refers to; its own stands in the statement.
    "constraint": """
        SELECT relname FROM pg_constraint JOIN pg_class ON pg_class.oid = confrelid
        WHERE conname = %s
    """,
    "references": """
        SELECT relname FROM pg_constraint JOIN pg_class ON pg_class.oid = confrelid
        WHERE conrelid = to_regclass(quote_ident(%s)) AND confrelid <> conrelid
    """,
}
_TRIGGER = "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(quote_ident(%s)) AND tgname = %s"

"""Migrations: what they lock, what is said of it beforehand, and what they wait for."""

import io
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from core.management.commands import migrate
from core.migrating.statements import MODES, locks_of, split
from core.tests.thoroughness import EVERYTHING
from core.tests.threads import at_once


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE projects_tag ADD COLUMN extra integer",
        "ALTER TABLE projects_tag ADD COLUMN owner_id integer REFERENCES users_user (id)",
        'ALTER TABLE "projects_tag" ADD CONSTRAINT "c" FOREIGN KEY (id) REFERENCES users_user (id) NOT VALID',
        "ALTER TABLE projects_tag ADD CONSTRAINT c CHECK (id > 0) NOT VALID",
        "ALTER TABLE projects_tag ADD CONSTRAINT c UNIQUE (id)",
        "ALTER TABLE projects_tag ALTER COLUMN label SET NOT NULL",
        "ALTER TABLE projects_tag ALTER COLUMN label TYPE text",
        "ALTER TABLE projects_tag ALTER COLUMN label SET STATISTICS 200",
        "ALTER TABLE projects_tag SET (fillfactor = 90)",
        "ALTER TABLE projects_tag DROP COLUMN label CASCADE",
        "ALTER TABLE projects_tag RENAME TO tags",
        "ALTER TABLE projects_tag DISABLE TRIGGER ALL",
        "CREATE INDEX i ON projects_tag (label)",
        'CREATE UNIQUE INDEX "i" ON "projects_tag" USING btree (id)',
        "CREATE TRIGGER t AFTER INSERT ON projects_tag FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "COMMENT ON TABLE projects_tag IS 'x; ALTER TABLE users_user ADD y int'",
        "UPDATE projects_tag SET label = 'a -- b'",
        "DELETE FROM projects_tag",
        "LOCK TABLE projects_tag IN SHARE ROW EXCLUSIVE MODE",
        "CREATE TABLE other (id integer REFERENCES users_user (id)); CREATE INDEX i ON other (id)",
        "DO $$ BEGIN PERFORM 1; END $$",
    ],
)
def test_the_locks_that_are_announced_are_those_that_are_taken(sql):
    announced = defaultdict(set)
    for lock in locks_of(sql):
        if lock.kind == "table":
            announced[lock.name].add(lock.mode)
    with transaction.atomic():
        run(sql)
        taken = {
            table: mode
            for table, mode in strongest_locks()
            if table in ("projects_tag", "users_user", "tags")
        }
        transaction.set_rollback(True)

    if "RENAME TO" in sql:
        taken = {"projects_tag": taken["tags"]}
    if sql.startswith("COMMENT"):
        taken = {}  # it keeps nobody from anything
    assert {
        table: min(modes, key=MODES.index) for table, modes in announced.items() if table != "other"
    } == taken


def test_what_is_not_known_is_said_to_be_unknown():
    assert [lock.mode for lock in locks_of("CLUSTER projects_tag; DO $x$ BEGIN DROP TABLE y; END $x$")] == [
        "unknown",
        "unknown",
    ]
    assert split("SELECT ';' /* ; */ -- ;\n; CREATE FUNCTION f() AS $a$ BEGIN; END; $a$ ") == [
        "SELECT ''",
        "CREATE FUNCTION f() AS ''",
    ]


@pytest.mark.django_db
def test_the_plan_says_what_is_locked_and_how_large_it_is(organisation):
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    run("ANALYZE workflows_changerequest")
    output = io.StringIO()

    call_command("migrate", "sessions", plan=True, stdout=output)
    call_command("migrate", "workflows", "zero", plan=True, stdout=output)

    forwards, backwards = output.getvalue().split("Planned operations:")[1:]
    assert forwards.strip() == "sessions.0001_initial\n    Create model Session"  # a new table: nobody waits
    assert re.search(
        r"Undo Create model ChangeRequest\n"
        r"(?: {8}.*\n)*? {8}ACCESS EXCLUSIVE on workflows_changerequest: about [\d,]+ rows, [\d.]+ KB, "
        r"reads and writes wait\n",
        backwards,
    )
    # Who drops a table that refers to others locks those as well.
    assert "ACCESS EXCLUSIVE on users_user: " in backwards


@pytest.mark.django_db(transaction=True)
def test_a_migration_lets_others_go_by_while_it_waits_for_a_lock(settings, monkeypatch):
    """A long reader holds it up, and nobody else."""
    settings.MIGRATION_LOCK_TIMEOUT_SECONDS = 0.05
    settings.MIGRATION_LOCK_RETRIES = 2
    output = io.StringIO()
    pauses: list[float] = []
    with long_reader("django_session") as reader:

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            run("SELECT count(*) FROM django_session")  # nothing waits in front of this
            if len(pauses) == 2:
                reader.rollback()

        monkeypatch.setattr("core.management.commands.migrate.sleep", pause)
        try:
            call_command("migrate", "sessions", "zero", stdout=output)
            gone = "django_session" not in connection.introspection.table_names()
        finally:
            reader.rollback()
            call_command("migrate", "sessions", verbosity=0)

    assert gone
    assert (
        output.getvalue().count("canceling statement due to lock timeout. The migration is undone; trying")
        == 2
    )
    assert 0 < pauses[0] < 2 * pauses[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ((0.05, 1, 60.0), "lock timeout. Others held a lock each of 2 times; the migration is undone"),
        ((0.0, 1, 0.05), r"more than MIGRATION_STATEMENT_TIMEOUT_SECONDS \(0.05\); its migration is undone"),
    ],
)
def test_a_migration_that_may_not_wait_any_longer_changes_nothing(settings, monkeypatch, limits, message):
    settings.MIGRATION_LOCK_TIMEOUT_SECONDS, settings.MIGRATION_LOCK_RETRIES = limits[:2]
    settings.MIGRATION_STATEMENT_TIMEOUT_SECONDS = limits[2]
    monkeypatch.setattr("core.management.commands.migrate.sleep", lambda seconds: None)

    with long_reader("django_session"), pytest.raises(CommandError, match=message):
        call_command("migrate", "sessions", "zero", verbosity=0)

    assert ("sessions", "0001_initial") in MigrationRecorder(connection).applied_migrations()
    assert "django_session" in connection.introspection.table_names()


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_another_to_migrate_does_not_keep_it_from_building_an_index(monkeypatch):
    output = io.StringIO()
    is_there, is_waiting, is_built = threading.Event(), threading.Event(), threading.Event()

    def pause(seconds: float) -> None:
        is_waiting.set()
        is_built.wait(10)

    def first() -> None:
        with migrate.Command()._alone("default"):
            is_there.set()
            assert is_waiting.wait(10)
            run("SET statement_timeout = '5s'")
            run("CREATE INDEX CONCURRENTLY built_meanwhile ON django_session (expire_date)")
            run("DROP INDEX built_meanwhile")
        is_built.set()

    def second() -> None:
        assert is_there.wait(10)
        call_command("migrate", "sessions", stdout=output)

    monkeypatch.setattr("core.management.commands.migrate.sleep", pause)

    assert at_once(first, second) == [None, None]
    assert output.getvalue().startswith("Another process migrates this database: waiting")
    assert "No migrations to apply." in output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_builds_indexes_beside_writers_is_not_tried_again_halfway(settings, monkeypatch):
    """Not even by a limit of the session's is it interrupted; if it is by somebody, the way on is said."""
    run("SET statement_timeout = '77s'")
    executed: list[str] = []

    def interrupted(execute: Any, sql: str, *rest: Any) -> Any:
        if "DROP INDEX CONCURRENTLY" in str(sql):
            executed.append(setting("statement_timeout"))
            return execute("DO $$ BEGIN RAISE lock_not_available; END $$", None, *rest[1:])
        return execute(sql, *rest)

    try:
        with (
            connection.execute_wrapper(interrupted),
            pytest.raises(CommandError, match="DROP INDEX CONCURRENTLY IF EXISTS audit_by_transaction;"),
        ):
            call_command("migrate", "audit", "0006", verbosity=0)
        assert executed == ["0"]
        assert setting("statement_timeout") == "77s"
    finally:
        run("RESET statement_timeout")
        call_command("migrate", "audit", verbosity=0)


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]


@pytest.mark.skipif(not EVERYTHING, reason="only with `make walks`: it takes a minute")
@pytest.mark.django_db(transaction=True)
def test_all_migrations_can_be_taken_back_and_applied_again():
    before = schema()
    labels = [each.label for each in apps.get_app_configs() if each.path.startswith(str(settings.API_DIR))]
    migrated = MigrationLoader(connection).migrated_apps

    for label in labels:
        if label in migrated:
            call_command("migrate", label, "zero", verbosity=0)
    between = schema()
    call_command("migrate", verbosity=0)

    assert not [name for name in between if name.partition("_")[0] in labels]
    assert schema() == before


def schema() -> dict[str, list[str]]:
    """Return what there is, by table: columns, indexes, constraints and triggers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT table_name, concat_ws(' ', column_name, data_type, is_nullable, column_default)
            FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
            UNION ALL SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger
            WHERE NOT tgisinternal
            """
        )
        found = defaultdict(list)
        for table, what in sorted(cursor.fetchall()):
            found[table].append(what)
    return dict(found)


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@contextmanager
def long_reader(table: str) -> Iterator[Any]:
    """Have somebody else read a table in a transaction that goes on until the block's end, or a rollback."""
    with closing(connection.copy()) as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
        yield other


def strongest_locks() -> list[tuple[str, str]]:
    """Return this transaction's locks that keep others from something, in PostgreSQL's words."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
            " WHERE pid = pg_backend_pid() AND relkind = 'r' AND granted"
        )
        held = defaultdict(set)
        for table, mode in cursor.fetchall():
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()
            if words in MODES:
                held[table].add(words)
    return [(table, min(modes, key=MODES.index)) for table, modes in held.items()]

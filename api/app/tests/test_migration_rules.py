"""Rules for migrations, held to by reading the SQL that they run: django-migration-linter's, and our own.

docs/upgrading.md says what they are for.
"""

from collections.abc import Iterator
from itertools import groupby

from django.apps import apps
from django.conf import settings
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader
from django_migration_linter.sql_analyser.analyser import analyse_sql_statements, get_sql_analyser_class

from core.migrating.compatibility import violations
from core.migrating.plan import Reader, Step
from core.migrating.statements import Lock, locks_of, split
from core.tests.thoroughness import EVERYTHING
from core.version import VERSION

# The last migration that the first release has of each app. They are applied together, to new databases,
# which no release before uses; with `make walks` they are read as well.
FIRST_RELEASE = {
    "accounts": 4,
    "analytics": 6,
    "audit": 7,
    "core": 3,
    "environments": 9,
    "features": 15,
    "health": 2,
    "identities": 6,
    "integrations": 1,
    "metadata": 3,
    "operations": 1,
    "organisations": 8,
    "permissions": 3,
    "projects": 2,
    "segments": 3,
    "tasks": 2,
    "users": 6,
    "webhooks": 2,
    "workflows": 2,
}
_NEW_COLUMN = "a column without a default of the database's own, which the release before would not fill"
_NEW_TABLE = "indexes of tables that are made a moment before"
# What is found in them, and why it may be.
KNOWN = {
    ("organisations", "0002_relations"): (["ADD_UNIQUE", "CREATE_INDEX", "NOT_NULL"], _NEW_TABLE),
    ("environments", "0002_relations"): (["ADD_UNIQUE", "CREATE_INDEX", "NOT_NULL"], _NEW_TABLE),
    ("audit", "0002_relations"): (["CREATE_INDEX", "NOT_NULL"], _NEW_TABLE),
    ("audit", "0003_what_master_keys_did"): (["CREATE_INDEX", "NOT_NULL"], _NEW_COLUMN),
    ("analytics", "0001_evaluation_buckets"): (["CREATE_INDEX"], _NEW_TABLE),
    ("analytics", "0006_counts_by_week"): (
        ["DROP_INDEX", "RENAME_TABLE"],
        "counts move to partitioned tables",
    ),
    ("identities", "0001_initial"): (["CREATE_INDEX"], _NEW_TABLE),
    ("features", "0003_versions"): (["ADD_UNIQUE"], "versions are new: no environment has any"),
    ("tasks", "0002_dead_jobs"): (["CREATE_INDEX"], "jobs are few"),
    ("users", "0003_user_session_generation"): (["NOT_NULL"], _NEW_COLUMN),
    ("users", "0004_providers_onboarding_and_consent"): (["CREATE_INDEX", "NOT_NULL"], _NEW_COLUMN),
    ("users", "0005_users_await_activation"): (["NOT_NULL"], _NEW_COLUMN),
}
# Read always, so that what looks at new ones has something to find.
SAMPLE = ("users", "0003_user_session_generation")


def test_no_migration_breaks_the_release_before_or_keeps_others_waiting(django_db_setup, django_db_blocker):
    analyser = get_sql_analyser_class("django.db.backends.postgresql")
    found = {}
    with django_db_blocker.unblock():
        for key, steps in read_migrations():
            statements = [each for step in steps for sql in step.statements for each in split(sql)]
            errors, _, warnings = analyse_sql_statements(analyser, statements)
            codes = {issue.code for issue in [*errors, *warnings]}
            ours = [] if is_of_the_first_release(key) else list(violations(steps, version=VERSION))
            if codes or ours:
                found[key] = [*sorted(codes), *ours]

    known = KNOWN if EVERYTHING else {SAMPLE: KNOWN[SAMPLE]}
    assert found == {key: codes for key, (codes, _) in known.items()}


def test_a_column_goes_in_a_release_after_the_one_that_stopped_using_it(django_db_setup, django_db_blocker):
    class Migration(migrations.Migration):
        operations = [migrations.RemoveField("tag", "label")]
        unused_since: str

    def said(version: str, unused_since: str | None = None) -> list[str]:
        migration = Migration("something", "projects")
        if unused_since:
            migration.unused_since = unused_since
        sql = ("ALTER TABLE projects_tag DROP COLUMN label",)
        return list(violations([Step(migration, migration.operations[0], sql)], version=version))

    assert said("1.4.0") == [
        "Remove field label from tag: the release before may use it. "
        "Say by `unused_since` which release stopped using it."
    ]
    assert said("1.4.0", "1.4.0") == [
        "Remove field label from tag: it may go in a release after 1.4.0, which stopped using it."
    ]
    assert said("1.10.0", "1.9.2") == []


def test_what_keeps_others_waiting_or_cannot_be_taken_back_is_told():
    migration = migrations.Migration("something", "projects")

    def said(sql: str, *locks: Lock) -> list[str]:
        step = Step(migration, migrations.RunSQL(sql), (sql,), locks)
        return [each.partition(": ")[2] for each in violations([step], version="1.4.0")]

    index = "CREATE INDEX i ON projects_tag (label)"
    assert said(index, *locks_of(index)) == [
        "it can't be taken back.",
        "all rows are read of projects_tag while others wait.",
    ]
    assert said("ALTER TABLE projects_tag RENAME TO tags") == [
        "it can't be taken back.",
        "the release before looks for the old name.",
    ]
    assert said("DO $$ $$", *locks_of("DO $$ $$"))[1:] == ["nobody knows what it locks."]


def read_migrations() -> Iterator[tuple[tuple[str, str], list[Step]]]:
    """Give migrations of ours as the SQL that a new database is made with."""
    loader = MigrationLoader(None)
    loader.connection = connection
    reader = Reader(connection, loader)
    keys = [
        key
        for key in reader.ordered()
        if is_ours(key[0]) and (EVERYTHING or key == SAMPLE or not is_of_the_first_release(key))
    ]
    yield from (
        (key, list(steps))
        for key, steps in groupby(
            reader.forwards(keys), lambda step: (step.migration.app_label, step.migration.name)
        )
    )


def is_of_the_first_release(key: tuple[str, str]) -> bool:
    label, name = key
    return int(name.partition("_")[0]) <= FIRST_RELEASE.get(label, 0)


def is_ours(label: str) -> bool:
    return apps.get_app_config(label).path.startswith(str(settings.API_DIR))

"""Going back to the schema of a moment."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.recorder import MigrationRecorder

from core.rollback import targets_before

RELEASE = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
COMMAND = "rollbackmigrationsappliedafter"


@pytest.fixture
def kept(db):
    """Have one app that was migrated before all others, long ago."""
    MigrationRecorder.Migration.objects.filter(app="sites").update(applied=datetime(1999, 1, 1, tzinfo=UTC))


def said(*arguments: str) -> str:
    out = StringIO()
    call_command(COMMAND, *arguments, stdout=out, verbosity=0)
    return out.getvalue()


def test_each_app_goes_back_to_what_it_had_the_last_one_migrated_first(db):
    graph = MigrationExecutor(connection).loader.graph
    before = {key: RELEASE - timedelta(days=1) for key in graph.nodes}
    newer = {
        ("users", "0001_initial"): RELEASE,
        ("health", max(name for app, name in graph.nodes if app == "health")): RELEASE + timedelta(seconds=5),
    }

    targets = targets_before(RELEASE, {**before, **newer}, graph)

    kept = sorted(name for app, name in graph.nodes if app == "health")[-2:-1]
    assert targets[0] == ("health", kept[0] if kept else None)
    assert [app for app, _ in targets] == ["health", "users"]
    assert targets_before(RELEASE + timedelta(days=1), {**before, **newer}, graph) == []


def test_nothing_is_undone_where_something_on_the_way_cannot_be(kept, monkeypatch):
    monkeypatch.setattr(
        "core.management.commands.rollbackmigrationsappliedafter.irreversible", lambda *_: ["x.1"]
    )

    with pytest.raises(CommandError, match=r"so nothing was: x\.1"):
        said("2000-01-01")


def test_the_plan_names_every_app_and_changes_nothing(kept):
    assert said("2100-01-01T00:00:00+01:00") == "No migration was applied since.\n"
    assert "users: back to before the first" in said("2000-01-01", "--plan")
    assert "sites: " not in said("2000-01-01", "--plan")
    assert MigrationRecorder.Migration.objects.exists()
    with pytest.raises(CommandError, match="no date and time"):
        said("2026-02-30T00:00")


def test_what_would_leave_nothing_is_refused(db):
    """After a restore all migrations are dated at the restore."""
    with pytest.raises(CommandError, match="nothing would be left"):
        said("2000-01-01", "--no-input")


@pytest.mark.parametrize("answer", ["no", None])
def test_no_app_loses_all_its_tables_without_a_question(kept, monkeypatch, answer):
    asked: list[str] = []

    def answered(question: str) -> str:
        asked.append(question)
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", answered)
    with pytest.raises(CommandError, match="Nothing was undone"):
        said("2000-01-01")

    assert len(asked) == 1
    assert "users_user" in connection.introspection.table_names()


def test_a_squashed_migration_was_applied_when_the_first_that_it_replaces_was():
    graph = MigrationGraph()
    squashed = Migration("0001_squashed", "shop")
    vars(squashed)["replaces"] = [("shop", "0001_initial"), ("shop", "0002_more")]
    graph.add_node(("shop", "0001_squashed"), squashed)
    rows = {
        ("shop", "0001_initial"): RELEASE - timedelta(days=9),
        ("shop", "0002_more"): RELEASE - timedelta(days=8),
        ("shop", "0001_squashed"): RELEASE + timedelta(days=1),  # by the release that squashed them
    }

    assert targets_before(RELEASE, rows, graph) == []

"""Which migrations to go back to, so that all that were applied since a moment are undone."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph

Name = tuple[str, str]
# An app, and its migration that stays; None where none does.
Target = tuple[str, str | None]


class NothingBeforeError(ValueError):
    """All migrations were applied since: the moment is before the installation, or before a restore."""


def targets_before(moment: datetime, rows: Mapping[Name, datetime], graph: MigrationGraph) -> list[Target]:
    """Return where each app that was migrated since has to go back to, the last one migrated first.

    Args:
        rows: when each migration was recorded as applied, by app and name.

    Raises:
        NothingBeforeError: nothing would be left.
    """
    applied = _applied(rows, graph)
    since = {key: at for key, at in applied.items() if at >= moment}
    if applied and len(since) == len(applied):
        raise NothingBeforeError
    last_of_app: dict[str, datetime] = {}
    for (app, _), at in since.items():
        last_of_app[app] = max(at, last_of_app.get(app, at))
    return [
        (app, _last_that_stays(app, since, applied, graph))
        for app in sorted(last_of_app, key=lambda app: last_of_app[app], reverse=True)
    ]


def irreversible(targets: list[Target], executor: MigrationExecutor) -> list[str]:
    """Return the migrations on the way that can't be undone: `features.0007_fill_live_from`."""
    return [
        f"{migration.app_label}.{migration.name}"
        for migration, backwards in executor.migration_plan(targets)
        if backwards and not all(operation.reversible for operation in migration.operations)
    ]


def _applied(rows: Mapping[Name, datetime], graph: MigrationGraph) -> dict[Name, datetime]:
    """Return when what the graph has was applied: what replaces others, when the first of them was."""
    found = {
        key: [
            rows[each] for each in (key, *((app, name) for app, name in migration.replaces)) if each in rows
        ]
        for key, migration in graph.nodes.items()
        if migration is not None
    }
    return {key: min(dates) for key, dates in found.items() if dates}


def _last_that_stays(
    app: str, since: Collection[Name], applied: Mapping[Name, datetime], graph: MigrationGraph
) -> str | None:
    stay = {name for label, name in applied if label == app and (label, name) not in since}
    ordered = [
        name for leaf in graph.leaf_nodes(app) for label, name in graph.forwards_plan(leaf) if label == app
    ]
    return next((name for name in reversed(ordered) if name in stay), None)

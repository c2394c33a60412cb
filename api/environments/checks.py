"""System checks of environments; `manage.py check --database default` and `migrate` run them."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from environments.publishing import silent_triggers


@register(Tags.database)
def check_triggers_stand(*, databases: Sequence[str] | None, **options: Any) -> list[CheckMessage]:
    """Find triggers that don't fire. Before the tables are migrated there is nothing to find."""
    if "default" not in (databases or []) or _is_migrated_in_part():
        return []
    return [
        Error(
            f"The trigger {name} is missing or switched off: changes of its table are not published.",
            hint="After putting it back (ALTER TABLE ... ENABLE TRIGGER), run `manage.py publish --all`.",
            id="environments.E001",
        )
        for name in silent_triggers()
    ]


def _is_migrated_in_part() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))

"""Publishing by hand, for after a restore; and whether what publishes by itself still stands.

Nothing is published where triggers don't fire: a restore with `--disable-triggers`, a subscriber of
logical replication, `session_replication_role = replica`. A restore may also bring back a number with
other content. After such things all environments are published anew.
"""

from collections.abc import Sequence

import pgtrigger
from django.db import connection, transaction

from core.errors import DomainError
from environments.models import Environment, Touch


class NotPublishing(DomainError):
    """The triggers that publish are not all there."""

    code = "not_publishing"


@transaction.atomic
def publish(environments: Sequence[Environment]) -> None:
    """Raise the revisions of environments as if they had changed, each with a new nonce.

    Raises:
        NotPublishing: the trigger that raises revisions is missing or switched off.
    """
    _note("VALUES " + ", ".join(["(0, %s)"] * len(environments)), [each.pk for each in environments])


@transaction.atomic
def publish_all() -> int:
    """Raise the revisions of all environments, also of those that have none, and return how many live.

    Raises:
        NotPublishing: as above.
    """
    # One by one too: what stands as deleted may have come back with the restore.
    _note("SELECT id, 0 FROM projects_project UNION ALL SELECT 0, id FROM environments_environment", [])
    number: int = Environment.objects.count()
    return number


def silent_triggers() -> list[str]:
    """Return the triggers of all models that are missing from the database or don't fire. One query.

    Empty is what it must be: a table that doesn't publish is served stale, and nothing else would tell.
    """
    expected = {(model._meta.db_table, trigger.get_pgid(model)) for model, trigger in pgtrigger.registered()}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_class.relname, pg_trigger.tgname FROM pg_trigger
            JOIN pg_class ON pg_class.oid = pg_trigger.tgrelid
            WHERE NOT pg_trigger.tgisinternal AND pg_trigger.tgenabled IN ('O', 'A')
              AND pg_table_is_visible(pg_class.oid)
            """
        )
        firing = set(cursor.fetchall())
    return sorted(f"{table}.{name}" for table, name in expected - firing)


def _note(touched: str, parameters: list[int]) -> None:
    table = Touch._meta.db_table
    if any(name.startswith(f"{table}.") for name in silent_triggers()):
        raise NotPublishing("The trigger that raises revisions is missing or switched off.")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (xid, project_id, environment_id) "  # noqa: S608
            f"SELECT pg_current_xact_id(), touched.* FROM ({touched}) AS touched ON CONFLICT DO NOTHING",
            parameters,
        )

"""Triggers that note which environments a change concerns, for the revisions to be raised at commit.

Every table whose rows show in an environment document carries four statement triggers, so that no
way of writing can forget to publish: saves, bulk updates, cascades, the admin, a database shell.
They only note what was touched, in `environments_touch`; `environments.models` raises the revisions
when the transaction commits. Raising at once would lock revision rows in the order of the
transaction's statements, and concurrent transactions would deadlock.
"""

from collections.abc import Sequence

import pgtrigger

_NOTE = """
INSERT INTO environments_touch (xid, project_id, environment_id)
SELECT DISTINCT pg_current_xact_id(), touched.project_id, touched.environment_id
FROM ({touched}) AS touched
ON CONFLICT DO NOTHING;
RETURN NULL;
"""
_NOTE_EVERYTHING = """
INSERT INTO environments_touch (xid, project_id, environment_id)
SELECT pg_current_xact_id(), project.id, 0 FROM projects_project AS project
ON CONFLICT DO NOTHING;
RETURN NULL;
"""


def publishes(touched: str, columns: Sequence[str]) -> list[pgtrigger.Trigger]:
    """Return the triggers that publish changes of a table's `columns`.

    Args:
        touched: a SELECT from `{changed}`, the changed rows reduced to `columns`, giving
            `project_id` and `environment_id`: a project touches all its environments, so the other
            of the two is 0.
        columns: the columns that an environment document shows, or that `touched` reads. A change of
            others publishes nothing.
    """
    listed = ", ".join(columns)
    new, old = (f"SELECT {listed} FROM {table}" for table in ("new_rows", "old_rows"))  # noqa: S608
    # A moved row publishes both where it was and where it is; a save that changed nothing, nothing.
    changed = f"({new} EXCEPT {old}) UNION ALL ({old} EXCEPT {new})"

    def note(name: str, operation: pgtrigger.Operation, rows: str, **tables: str) -> pgtrigger.Trigger:
        return pgtrigger.Trigger(
            name=f"publish_{name}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=pgtrigger.Referencing(**tables),
            func=_NOTE.format(touched=touched.format(changed=f"({rows}) AS changed")),
        )

    return [
        note("insert", pgtrigger.Insert, new, new="new_rows"),
        note("update", pgtrigger.Update, changed, new="new_rows", old="old_rows"),
        note("delete", pgtrigger.Delete, old, old="old_rows"),
        pgtrigger.Trigger(
            name="publish_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Truncate,
            func=_NOTE_EVERYTHING,
        ),
    ]

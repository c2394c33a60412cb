"""Triggers that remember every change of a table's rows, with who made it, before and after.

Every table that people change carries four statement triggers, so that no way of writing can forget: saves,
bulk updates, cascades, the admin, imports, a database shell. They write to `audit_rowchange`, one table for
all, in the transaction that makes the change. `core.causes` tells them who is behind it.

Secrets never get there: columns that are named as `secrets` are noted as changed, without their values.
"""

from collections.abc import Sequence

import pgtrigger

from core.causes import SETTING

_CAUSE = "burgee_cause"
_DECLARED = [(_CAUSE, f"jsonb := coalesce(nullif(current_setting('{SETTING}', true), ''), '{{}}')::jsonb")]
# For tables that are also written by what nobody has asked for.
_SOMEBODY_ACTS = pgtrigger.Condition(f"coalesce(current_setting('{SETTING}', true), '') <> ''")

_REMEMBER = f"""
INSERT INTO audit_rowchange (
    at, transaction_at, xid, operation, table_name, object_id, object_uuid, name, before, after, concealed,
    organisation_id, project_id, environment_id, actor_id, master_key_id, actor_name, source, request_id
)
SELECT clock_timestamp(), now(), pg_current_xact_id(), TG_OP, TG_TABLE_NAME, changed.{{key}}::text,
       (whole.row ->> 'uuid')::uuid, coalesce({{name}}, ''), {{before}}, {{after}}, {{concealed}},
       {{organisation}}, {{project}}, {{environment}},
       ({_CAUSE} ->> 'user')::integer, ({_CAUSE} ->> 'master_key')::uuid, coalesce({_CAUSE} ->> 'name', ''),
       coalesce({_CAUSE} ->> 'source', ''), coalesce({_CAUSE} ->> 'request', '')
FROM {{rows}}
ORDER BY changed.{{key}};
RETURN NULL;
"""  # noqa: S608
# With OFFSET 0 a subquery is computed once for each row, and not once for each place that names its columns.
_WHOLE_ROWS = """
{changed} AS changed
{places}
CROSS JOIN LATERAL (SELECT to_jsonb(changed) AS row OFFSET 0) AS whole
"""
# All rows of both sides, by a join that can only be done by hashing or merging: statements are planned once,
# when there may have been a single row, and used for thousands.
_DIFFERING_ROWS = """
{new} AS changed FULL JOIN {old} AS was ON was.{key} = changed.{key}
{places}
CROSS JOIN LATERAL (SELECT to_jsonb(changed) AS row, to_jsonb(was) AS old_row OFFSET 0) AS whole
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(key, whole.old_row -> key) FILTER (WHERE key <> ALL({secrets})) AS before,
           jsonb_object_agg(key, value) FILTER (WHERE key <> ALL({secrets})) AS after,
           array_agg(key) FILTER (WHERE key = ANY({secrets})) AS concealed
    FROM jsonb_each(whole.row) AS pair (key, value)
    WHERE key <> ALL({ignored}) AND value IS DISTINCT FROM whole.old_row -> key
) AS differing
WHERE changed IS DISTINCT FROM was AND (differing.after IS NOT NULL OR differing.concealed IS NOT NULL)
"""


class _Memory:
    """What the triggers of one table note, as SQL over `changed`, the changed rows."""

    def __init__(
        self,
        key: str,
        name: str,
        environment: str | None,
        project: str | None,
        organisation: str | None,
        secrets: Sequence[str],
        ignored: Sequence[str],
    ) -> None:
        self.key, self.name = key, name
        self.secrets, self.ignored = _texts(secrets), _texts(ignored)
        self.left_out = _texts([*secrets, *ignored])
        self.places = ""
        self.environment, self.project, self.organisation = environment, project, organisation
        if environment is not None and project is None:
            self.places += (
                f" LEFT JOIN environments_environment AS in_environment ON in_environment.id = {environment}"
            )
            self.project = "in_environment.project_id"
        if organisation is None and self.project is None:
            self.organisation = "NULL::integer"
        elif organisation is None:
            self.places += f" LEFT JOIN projects_project AS in_project ON in_project.id = {self.project}"
            self.organisation = "in_project.organisation_id"

    def whole(self, changed: str, *, are_new: bool) -> str:
        """Return the body that notes rows in full: those that came, or those that went."""
        content = f"whole.row - {self.left_out}"
        return self._body(
            before="NULL::jsonb" if are_new else content,
            after=content if are_new else "NULL::jsonb",
            concealed=f"ARRAY(SELECT key FROM unnest({self.secrets}) AS key "  # noqa: S608
            "WHERE coalesce(whole.row ->> key, '') <> '')",
            rows=_WHOLE_ROWS.format(changed=changed, places=self.places),
        )

    def differences(self, new: str, old: str) -> str:
        """Return the body that notes what is different in rows that were changed."""
        return self._body(
            before="differing.before",
            after="differing.after",
            concealed=f"coalesce(differing.concealed, {_texts([])})",
            rows=_DIFFERING_ROWS.format(
                new=new, old=old, key=self.key, places=self.places, secrets=self.secrets, ignored=self.ignored
            ),
        )

    def _body(self, **parts: str) -> str:
        return _REMEMBER.format(
            key=self.key,
            name=self.name,
            environment=self.environment or "NULL::integer",
            project=self.project or "NULL::integer",
            organisation=self.organisation,
            **parts,
        )


def remembers(
    *,
    key: str = "id",
    name: str = "changed.name",
    environment: str | None = None,
    project: str | None = None,
    organisation: str | None = None,
    secrets: Sequence[str] = (),
    ignored: Sequence[str] = (),
) -> list[pgtrigger.Trigger]:
    """Return the triggers that remember every change of a table.

    `name` and the places are SQL over `changed`, the changed rows: `changed.project_id`, or a subselect in
    parentheses. Of the three places the lowest is enough, what it stands in is looked up; say the upper ones
    too where the row may be without the lower, and of the row that is the place itself.

    Args:
        key: the column of the primary key.
        name: what people know the row by.
        secrets: columns whose values must never be seen: what they say is that they changed.
        ignored: columns that aren't remembered at all: those that change by themselves.
    """
    memory = _Memory(key, name, environment, project, organisation, secrets, ignored)

    def remember(operation: pgtrigger.Operation, body: str, **tables: str) -> pgtrigger.Trigger:
        return pgtrigger.Trigger(
            name=f"remember_{str(operation).lower()}",  # insert, update, delete
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=pgtrigger.Referencing(**tables),
            declare=_DECLARED,
            func=body,
        )

    return [
        remember(pgtrigger.Insert, memory.whole("new_rows", are_new=True), new="new_rows"),
        remember(
            pgtrigger.Update, memory.differences("new_rows", "old_rows"), new="new_rows", old="old_rows"
        ),
        remember(pgtrigger.Delete, memory.whole("old_rows", are_new=False), old="old_rows"),
        pgtrigger.Trigger(
            name="remember_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            declare=_DECLARED,
            func=pgtrigger.Func(memory.whole("{meta.db_table}", are_new=False)),
        ),
    ]


def remembers_what_people_do(
    *, name: str = "changed.name", environment: str, column: str, ignored: Sequence[str] = ()
) -> list[pgtrigger.Trigger]:
    """Return triggers for a table that programs write to far more often than people do.

    They fire by row, if somebody is known to act; what nobody has asked for costs next to nothing. Of
    updates, only those of `column` count.
    """
    memory = _Memory("id", name, environment, None, None, (), ignored)
    new, old = "(SELECT (NEW).*)", "(SELECT (OLD).*)"

    def remember(trigger: str, operation: pgtrigger.Operation, body: str) -> pgtrigger.Trigger:
        return pgtrigger.Trigger(
            name=f"remember_{trigger}",
            level=pgtrigger.Row,
            when=pgtrigger.After,
            operation=operation,
            condition=_SOMEBODY_ACTS,
            declare=_DECLARED,
            func=body,
        )

    return [
        remember("insert", pgtrigger.Insert, memory.whole(new, are_new=True)),
        remember("update", pgtrigger.UpdateOf(column), memory.differences(new, old)),
        remember("delete", pgtrigger.Delete, memory.whole(old, are_new=False)),
    ]


def _texts(names: Sequence[str]) -> str:
    return "ARRAY[" + ", ".join(f"'{each}'" for each in names) + "]::text[]"

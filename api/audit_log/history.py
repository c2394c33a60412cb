"""The history's rows in the words and the shape of the audit log.

Flagsmith's audit log tells of flags, segments and environments only. What else was changed (members, groups,
keys, tags, projects, webhooks, roles, permissions, ...), and every row behind a record, the history has.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import Case, CharField, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Concat

from audit.models import ChangeType, RowChange
from environments.models import Environment
from projects.models import Project
from users.models import User

_GONE = Q(operation__in=["DELETE", "TRUNCATE"]) | Q(
    operation="UPDATE", after__has_key="deleted_at", before__deleted_at=None
)
_CHANGE_TYPE = Case(
    When(operation="INSERT", then=Value(ChangeType.CREATE)),
    When(_GONE, then=Value(ChangeType.DELETE)),
    default=Value(ChangeType.UPDATE),
    output_field=CharField(),
)
_VERB = Case(
    When(operation="INSERT", then=Value("created")),
    When(_GONE, then=Value("deleted")),
    default=Value("updated"),
    output_field=CharField(),
)


@cache
def tables() -> dict[str, tuple[str, str]]:
    """Return, by remembered table, the type and the words for its rows: `MASTER_KEY` and `Master key`."""
    return {
        model._meta.db_table: (
            "".join(f"_{each}" if each.isupper() else each for each in model.__name__).strip("_").upper(),
            str(model._meta.verbose_name).capitalize(),
        )
        for model in apps.get_models()
        if any(trigger.name == "remember_insert" for trigger in getattr(model._meta, "triggers", []))
    }


def _by_table(index: int) -> Case:
    return Case(
        *(When(table_name=table, then=Value(words[index])) for table, words in tables().items()),
        default=F("table_name"),
        output_field=TextField(),
    )


def changes() -> QuerySet[RowChange]:
    """Return the history's rows with `log`, `change_type` and `related_object_type`, newest first."""
    rows: QuerySet[RowChange] = RowChange.objects.order_by("-pk")
    return rows.annotate(
        log=Concat(_by_table(1), Value(" "), _VERB, Value(": "), F("name"), output_field=TextField()),
        related_object_type=_by_table(0),
        change_type=_CHANGE_TYPE,
        is_system_event=Case(When(actor_id=None, master_key_id=None, then=Value(True)), default=Value(False)),
    )


def as_records(rows: Iterable[Any]) -> list[Any]:
    """Give rows what a record of the audit log has besides, with three queries for any number of them."""
    rows = list(rows)
    users = User.objects.in_bulk({row.actor_id for row in rows} - {None})
    environments = Environment.all_objects.in_bulk({row.environment_id for row in rows} - {None})
    projects = Project.all_objects.in_bulk({row.project_id for row in rows} - {None})
    for row in rows:
        row.created_date = row.at
        row.author = users.get(row.actor_id)
        row.environment = environments.get(row.environment_id)
        row.project = projects.get(row.project_id)
        row.related_object_id = int(row.object_id) if row.object_id.isdecimal() else None
        row.related_object_uuid = row.object_uuid
        row.change_details = _differences(row)
        row.changed_by = {"name": row.actor_name, "source": row.source, "request_id": row.request_id}
    return rows


def _differences(row: RowChange) -> list[dict[str, Any]]:
    """Return what became of each column, by name. Of those that are secret, nobody learns what they say."""
    before, after = row.before or {}, row.after or {}
    known = [
        {"field": column, "old": before.get(column), "new": after.get(column)}
        for column in sorted(before.keys() | after.keys())
    ]
    return known + [{"field": column, "old": None, "new": None} for column in sorted(row.concealed)]

"""Reading the audit log: Flagsmith's records, or all rows of the history."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from audit.models import AuditRecord, ChangeType, RelatedObjectType
from audit_log.history import as_records, changes, tables
from environments.models import Environment, PublishedRevision

_PIECE = 500


def records_matching(query: dict[str, Any]) -> QuerySet[Any]:
    """Return records, or rows of the history, newest first: those that the query asks for.

    Args:
        query: what `AuditQuery` reads.
    """
    if query["history"]:
        return _narrowed(
            changes(), query, environment="environment_id", project="project_id", author="actor_id", at="at"
        )
    records = AuditRecord.objects.select_related("author", "environment", "project").order_by("-pk")
    return _narrowed(
        records, query, environment="environment", project="project", author="author", at="created_date"
    )


def _narrowed(rows: QuerySet[Any], query: dict[str, Any], **columns: str) -> QuerySet[Any]:
    wanted = {
        columns["project"]: query.get("project"),
        f"{columns['environment']}__in": query.get("environments") or None,
        columns["author"]: query.get("author"),
        "is_system_event": query.get("is_system_event"),
        "log__icontains": query.get("search") or None,
        f"{columns['at']}__gte": query.get("created_after"),
        f"{columns['at']}__lt": query.get("created_before"),
        **_of_object(query),
    }
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})


def _of_object(query: dict[str, Any]) -> dict[str, Any]:
    kind, key = query.get("related_object_type"), query.get("related_object_id")
    if not query["history"]:
        return {"related_object_type": kind, "related_object_id": key}
    named = [table for table, (word, _) in tables().items() if word == kind]
    return {
        "table_name__in": named if kind else None,
        "object_id": str(key) if key is not None else None,
    }


def complete(rows: Iterable[Any], query: dict[str, Any]) -> list[Any]:
    """Return rows with all that is shown of them, but for `revisions`."""
    if query["history"]:
        return as_records(rows)
    records = list(rows)
    for record in records:
        record.change_details = _details(record)
        name = record.author.email if record.author else record.master_key_name
        record.changed_by = {"name": name, "source": "", "request_id": ""}
    return records


def _details(record: AuditRecord) -> list[dict[str, Any]]:
    """Return what was changed; of what was created, only feature states say what they began with."""
    says = record.change_type == ChangeType.UPDATE or (
        record.change_type == ChangeType.CREATE
        and record.related_object_type == RelatedObjectType.FEATURE_STATE
    )
    changes: list[dict[str, Any]] = record.changes
    return changes if says else []


def in_pieces(rows: QuerySet[Any], query: dict[str, Any]) -> Iterator[Any]:
    """Go through all rows, some hundred at a time: a cursor would hold the connection behind a pooler."""
    rest = rows
    while piece := complete(rest[:_PIECE], query):
        add_revisions(piece)
        yield from piece
        rest = rows.filter(pk__lt=piece[-1].pk)


def add_revisions(rows: Iterable[Any]) -> None:
    """Give each row `revisions`: by environment, the number that SDKs see what it tells of from. One query.

    Rows of an environment have that one's; those of a project or an organisation, what the transaction has
    raised there, and never what it may have raised elsewhere.
    """
    rows = list(rows)
    project = Environment.all_objects.filter(pk=OuterRef("environment_id"))
    published = PublishedRevision.objects.filter(xid__in={row.xid for row in rows if row.xid}).annotate(
        project_id=Subquery(project.values("project")),
        organisation_id=Subquery(project.values("project__organisation")),
    )
    by_transaction = defaultdict(list)
    for each in published:
        by_transaction[each.xid, each.transaction_at].append(each)
    for row in rows:
        row.revisions = [
            {"environment": each.environment_id, "revision": each.revision}
            for each in by_transaction[row.xid, row.transaction_at]
            if _became(row, each)
        ]


def _became(row: Any, published: Any) -> bool:
    for place in ("environment_id", "project_id", "organisation_id"):
        if (key := getattr(row, place)) is not None:
            return bool(key == getattr(published, place))
    return False

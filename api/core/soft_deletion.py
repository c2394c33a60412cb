"""Marking rows as deleted, and with them what hangs on them.

Follows the foreign keys that a real deletion would cascade along. The number of statements
depends on the number of models below, never on the number of rows.
"""

from django.db import models, transaction
from django.utils import timezone


def mark_deleted(rows: models.QuerySet) -> tuple[int, dict[str, int]]:
    """Mark the undeleted ones of `rows` and everything below them.

    Returns what `QuerySet.delete` does: the number of rows, and the numbers by model label.
    """
    counts: dict[str, int] = {}
    with transaction.atomic(using=rows.db):
        _mark(rows.model, list(rows.values_list("pk", flat=True)), timezone.now(), counts)
    return sum(counts.values()), counts


def _mark(model: type[models.Model], keys: list[object], now: object, counts: dict[str, int]) -> None:
    if not keys:
        return
    marked = model._base_manager.filter(pk__in=keys, deleted_at__isnull=True).update(deleted_at=now)
    counts[model._meta.label] = counts.get(model._meta.label, 0) + marked
    for relation in model._meta.related_objects:
        if relation.on_delete is not models.CASCADE or not hasattr(relation.related_model, "deleted_at"):
            continue
        below = relation.related_model._base_manager.filter(
            **{f"{relation.field.name}__in": keys, "deleted_at__isnull": True}
        )
        _mark(relation.related_model, list(below.values_list("pk", flat=True)), now, counts)

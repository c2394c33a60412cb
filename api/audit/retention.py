"""Forgetting what is older than the history is to be kept. Audit records themselves stay."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit.keeping import RETENTION
from audit.models import RowChange

# At once: so that nothing is locked or held up for long.
_PIECE = 10_000


def forget_old_changes() -> int:
    """Delete the history's rows that are older than `AUDIT_HISTORY_DAYS`, and return how many those were."""
    if not settings.AUDIT_HISTORY_DAYS:
        return 0
    moment = timezone.now() - timedelta(days=settings.AUDIT_HISTORY_DAYS)
    number = 0
    while deleted := _forget_some(moment):
        number += deleted
    return number


@transaction.atomic
def _forget_some(moment: datetime) -> int:
    _allow("on")
    # Rows are written in the order of their ids, nearly; what is late by a moment goes the next time.
    oldest = RowChange.objects.order_by("pk").values("pk", "at")[:_PIECE]
    old = [each["pk"] for each in oldest if each["at"] < moment]
    deleted: int = RowChange.objects.filter(pk__in=old).delete()[0]
    _allow("")
    return deleted


def _allow(whether: str) -> None:
    """Tell the trigger that stands against it, until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [RETENTION, whether])

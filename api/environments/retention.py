"""Forgetting which transactions made which revisions, as long after as the history is kept."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from environments.models import PublishedRevision


def forget_old_revisions() -> int:
    """Delete what is older than `AUDIT_HISTORY_DAYS`, and return how much that was."""
    if not settings.AUDIT_HISTORY_DAYS:
        return 0
    moment = timezone.now() - timedelta(days=settings.AUDIT_HISTORY_DAYS)
    number: int = PublishedRevision.objects.filter(at__lt=moment).delete()[0]
    return number

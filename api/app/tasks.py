"""What the libraries' tables need: rows that end by themselves and that nobody else deletes."""

from datetime import timedelta

from axes.models import AccessFailureLog, AccessLog
from django.core.management import call_command
from django.utils import timezone

from core.idempotency import delete_expired_answers
from core.throttling.counters import delete_expired_counters
from tasks.registry import recurring

_ACCESS_LOG_DAYS = 30


@recurring(every=timedelta(hours=1))
def delete_expired_throttle_counters() -> None:
    delete_expired_counters()


@recurring(every=timedelta(hours=1))
def delete_answers_to_expired_keys() -> None:
    delete_expired_answers()


@recurring(every=timedelta(days=1))
def delete_expired_sessions() -> None:
    call_command("clearsessions")


@recurring(every=timedelta(days=1))
def delete_old_sign_ins() -> None:
    """Delete what is kept of people signing in, with their addresses."""
    before = timezone.now() - timedelta(days=_ACCESS_LOG_DAYS)
    for model in (AccessLog, AccessFailureLog):
        model.objects.filter(attempt_time__lt=before).delete()

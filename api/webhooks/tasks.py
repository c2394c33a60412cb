"""Sending in the background."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Now

from tasks.registry import URGENT_PRIORITY, recurring, task
from tasks.services import enqueue
from webhooks.models import Delivery, Receiver
from webhooks.recipients import Recipient
from webhooks.services import replaying
from webhooks.services.dispatching import MOST_SECONDS, send_due, wake

# A job only fails with the database or its worker: how often a message is sent, its delivery says.
_ATTEMPTS = 100
_BACKOFF = timedelta(seconds=5)
# What is going on at the end may take a turn and a call more.
_TIMEOUT = timedelta(seconds=MOST_SECONDS + 60)


@task(attempts=_ATTEMPTS, backoff=lambda failures: _BACKOFF, is_kept=False, priority=URGENT_PRIORITY)
def begin_sending(*, recipients: Sequence[tuple[str, int]]) -> None:
    """Have what was written for these webhooks be sent."""
    wake([Recipient(*each) for each in recipients])
    _enqueue_sending()


@task(attempts=_ATTEMPTS, backoff=lambda failures: _BACKOFF, timeout=_TIMEOUT, is_kept=False)
def send() -> None:
    """Send what is due to all webhooks."""
    again_at = send_due()
    if again_at is None:
        return
    _enqueue_sending(again_at)
    # That took the place of a job for what was written in the meantime.
    if Receiver.objects.due().exists():
        _enqueue_sending()


@recurring(every=timedelta(minutes=5))
def resume_sending() -> None:
    """Go on with what nobody is at: because webhooks were switched off, or a job was discarded."""
    if settings.DISABLE_WEBHOOKS:
        return
    late = Delivery.objects.pending().filter(next_attempt_at__lt=Now() - timedelta(minutes=1)).order_by()
    columns = late.values_list("environment_webhook", "organisation_webhook").distinct()
    if recipients := [Recipient.of_columns(*each) for each in columns]:
        begin_sending(recipients=recipients)


@recurring(every=timedelta(days=1))
def forget_old_events() -> None:
    replaying.forget_old_events()


def _enqueue_sending(run_at: datetime | None = None) -> None:
    # By its key, one job sends at a time, and one waits.
    enqueue(send, run_at=run_at, key="webhooks.send")

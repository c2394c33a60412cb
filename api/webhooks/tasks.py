"""Sending in the background: one job at a time for each webhook."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Now

from tasks.registry import LOWEST_PRIORITY, Task, recurring, task
from tasks.services import enqueue
from webhooks.models import Delivery
from webhooks.recipients import Recipient
from webhooks.services import replaying
from webhooks.services.sending import MOST_SECONDS, has_due, send_due

# A job only fails with the database or its worker: how often a message is sent, its delivery says.
_ATTEMPTS = 100
_BACKOFF = timedelta(seconds=5)
# The last call of a turn may take ten seconds more.
_TIMEOUT = timedelta(seconds=MOST_SECONDS + 30)


@task(attempts=_ATTEMPTS, backoff=lambda failures: _BACKOFF, is_kept=False)
def begin_sending(*, recipients: list[tuple[str, int]]) -> None:
    """Have what was written for these webhooks be sent."""
    for kind, webhook_id in recipients:
        _enqueue(send, Recipient(kind, webhook_id))


@task(attempts=_ATTEMPTS, backoff=lambda failures: _BACKOFF, timeout=_TIMEOUT, is_kept=False)
def send(*, kind: str, webhook_id: int) -> None:
    """Send what is due to one webhook."""
    _send(Recipient(kind, webhook_id))


# By another name, so that those whose receivers work go first.
@task(
    attempts=_ATTEMPTS,
    backoff=lambda failures: _BACKOFF,
    timeout=_TIMEOUT,
    is_kept=False,
    priority=LOWEST_PRIORITY,
)
def send_again(*, kind: str, webhook_id: int) -> None:
    """The same, after something wasn't taken."""
    _send(Recipient(kind, webhook_id))


@recurring(every=timedelta(minutes=5))
def resume_sending() -> None:
    """Go on with what nobody is at: because webhooks were switched off, or a job was discarded."""
    if settings.DISABLE_WEBHOOKS:
        return
    late = Delivery.objects.pending().filter(next_attempt_at__lt=Now() - timedelta(minutes=1)).order_by()
    for columns in late.values_list("environment_webhook", "organisation_webhook").distinct():
        recipient = Recipient.of_columns(*columns)
        if has_due(recipient):
            _enqueue(send, recipient)


@recurring(every=timedelta(days=1))
def forget_old_events() -> None:
    replaying.forget_old_events()


def _send(recipient: Recipient) -> None:
    again_at = send_due(recipient)
    if again_at is None:
        return
    _enqueue(send_again, recipient, again_at)
    # That took the place of a job for what was written in the meantime.
    if has_due(recipient):
        _enqueue(send, recipient)


def _enqueue(job: Task[...], recipient: Recipient, run_at: datetime | None = None) -> None:
    enqueue(
        job,
        arguments=recipient._asdict(),
        run_at=run_at,
        key=f"webhooks.send {recipient.kind} {recipient.webhook_id}",
    )

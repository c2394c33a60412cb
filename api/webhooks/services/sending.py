"""Sending what waits for one webhook: in order per subject, and as long as its receiver takes it.

One job at a time does this for a webhook, so nothing overtakes and a dead receiver holds one thread, for ten
seconds at each of its ever rarer attempts. Where a receiver can't be reached, or has had too much, nothing
more of the webhook is tried before it is time for the one that failed. A message that it answers with 5xx
only holds up those of its own subject.

The database's clock decides what is due: those of hosts may be ahead of it or behind.
"""

import logging
import time
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from core.outgoing import CallFailedError, TargetForbiddenError, post
from webhooks.bodies import body_of
from webhooks.models import RECEIVER_UNAVAILABLE, Delivery, DeliveryStatus
from webhooks.recipients import Recipient
from webhooks.services.failures import tell_people
from webhooks.services.headers import headers_of
from webhooks.services.retrying import TOO_MANY_REQUESTS, Outcome, delay_after, is_out_of_attempts

logger = logging.getLogger(__name__)

# One job goes on for so long, so that others get their turn: another job follows.
MOST_SECONDS = 40
_BATCH = 100


class Webhook(Protocol):
    """What both kinds of webhooks have."""

    url: str
    secret: str
    enabled: bool


def send_due(recipient: Recipient) -> datetime | None:
    """Send what is due to a webhook, and return when to go on; None: nothing waits any more."""
    webhook = _find(recipient)
    if webhook is None or settings.DISABLE_WEBHOOKS:
        return None  # what waits for one that was deleted went with it; the rest waits for the switch
    waiting = Delivery.objects.pending().filter(recipient.deliveries)
    if not webhook.enabled:
        waiting.update(status=DeliveryStatus.DISCARDED, finished_at=Now(), error="The webhook is disabled.")
        return None
    if (paused_until := _paused_until(waiting)) is not None:
        return paused_until
    return _send_all(waiting, webhook)


def has_due(recipient: Recipient) -> bool:
    """Whether there is something that `send_due` would send now."""
    waiting = Delivery.objects.pending().filter(recipient.deliveries)
    if _paused_until(waiting) is not None:
        return False
    before = waiting.filter(subject=OuterRef("subject"), pk__lt=OuterRef("pk"), next_attempt_at__gt=Now())
    return waiting.filter(~Exists(before), next_attempt_at__lte=Now()).exists()


def _send_all(waiting: QuerySet[Delivery], webhook: Webhook) -> datetime | None:
    stop_at = time.monotonic() + MOST_SECONDS
    held_up: dict[str, datetime] = {}  # subjects, and when their next is due
    while batch := _next(waiting, held_up):
        for delivery in batch:
            if delivery.subject in held_up:
                continue
            if not delivery.is_due:  # type: ignore[attr-defined]  # see `_next`
                held_up[delivery.subject] = delivery.next_attempt_at
                continue
            if time.monotonic() > stop_at:
                return timezone.now()
            outcome = _attempt(delivery, webhook)
            if outcome is None or _note(delivery, outcome):
                continue
            if outcome.stops_all:
                return delivery.next_attempt_at
            held_up[delivery.subject] = delivery.next_attempt_at
    return min(held_up.values(), default=None)


def _next(waiting: QuerySet[Delivery], held_up: dict[str, datetime]) -> list[Delivery]:
    """Return the oldest deliveries of subjects that aren't held up."""
    oldest = waiting.exclude(subject__in=list(held_up)).select_related("event").order_by("pk")
    return list(
        oldest.annotate(is_due=_has_come("next_attempt_at"), is_late=_has_come("give_up_at"))[:_BATCH]
    )


def _has_come(moment: str) -> ExpressionWrapper:
    return ExpressionWrapper(Q(**{f"{moment}__lte": Now()}), output_field=BooleanField())


def _paused_until(waiting: QuerySet[Delivery]) -> datetime | None:
    """Return when a receiver that didn't work at the last attempt is to be asked again; None: now."""
    not_yet = waiting.filter(RECEIVER_UNAVAILABLE, next_attempt_at__gt=Now())
    moment: datetime | None = not_yet.aggregate(moment=Max("next_attempt_at"))["moment"]
    return moment


def _attempt(delivery: Delivery, webhook: Webhook) -> Outcome | None:
    """Send one message once; None: there is nothing left to tell."""
    body = body_of(delivery.event)
    if body is None:
        gone = "What it tells of was deleted."
        _row(delivery).update(status=DeliveryStatus.DISCARDED, finished_at=Now(), error=gone)
        return None
    # Counted before: a message that ends the process must not be sent for ever.
    if not _row(delivery).update(attempts=F("attempts") + 1, last_attempt_at=Now()):
        return None  # its webhook was deleted in the meantime
    delivery.attempts += 1
    headers = headers_of(delivery.event.message_id, int(time.time()), body, webhook.secret)
    begun_at = time.monotonic()
    try:
        return Outcome.of(post(webhook.url, body, headers))
    except TargetForbiddenError as error:
        return Outcome(None, time.monotonic() - begun_at, str(error))
    except CallFailedError as error:
        return Outcome(None, time.monotonic() - begun_at, str(error), is_final=False)


def _note(delivery: Delivery, outcome: Outcome) -> bool:
    """Write down how an attempt has ended, and return whether it was the last."""
    noted = {
        "response_status": outcome.status,
        "duration_ms": round(outcome.seconds * 1000),
        "error": outcome.error[:500],
    }
    if outcome.is_success:
        _row(delivery).update(status=DeliveryStatus.DELIVERED, finished_at=Now(), **noted)
        return True
    is_late = delivery.is_late  # type: ignore[attr-defined]  # see `_next`
    if outcome.is_final or is_late or is_out_of_attempts(delivery.attempts):
        _give_up(delivery, noted, with_other_late_ones=outcome.stops_all)
        return True
    failures = delivery.attempts
    if outcome.stops_all:
        failures += _attempts_before(delivery)
    _row(delivery).update(next_attempt_at=Now() + delay_after(failures, outcome.wish), **noted)
    delivery.refresh_from_db(fields=["next_attempt_at"])
    return False


def _attempts_before(delivery: Delivery) -> int:
    """Return how often its receiver was tried with the message before it, if that was given up unanswered.

    A receiver that is away for days would be asked every few seconds again otherwise, with each message that
    is given up.
    """
    over = Delivery.objects.filter(delivery.recipient.deliveries).exclude(status=DeliveryStatus.PENDING)
    last = over.filter(attempts__gt=0, finished_at__isnull=False).order_by("-finished_at").first()
    if last is None or last.status != DeliveryStatus.FAILED:
        return 0
    return last.attempts if last.response_status in {None, TOO_MANY_REQUESTS} else 0


@transaction.atomic
def _give_up(delivery: Delivery, noted: dict[str, Any], *, with_other_late_ones: bool) -> None:
    """Note that a delivery has failed for good, and those that are as old with it, if they hoped for it."""
    _row(delivery).update(status=DeliveryStatus.FAILED, finished_at=Now(), **noted)
    delivery.refresh_from_db(fields=["status", "finished_at", *noted])
    logger.warning("%s was given up after %d attempts: %s", delivery, delivery.attempts, delivery.error)
    tell_people(delivery)
    if with_other_late_ones:  # after that, for it mustn't look as if people were told of these
        late = Delivery.objects.pending().filter(delivery.recipient.deliveries, give_up_at__lte=Now())
        reason = "The receiver didn't work for too long."
        late.update(status=DeliveryStatus.FAILED, finished_at=Now(), error=reason)


def _row(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk)


def _find(recipient: Recipient) -> Webhook | None:
    # Its table stands in an app above this one.
    model: Any = Delivery._meta.get_field(f"{recipient.kind}_webhook").related_model
    webhook: Webhook | None = model._default_manager.filter(pk=recipient.webhook_id).first()
    return webhook

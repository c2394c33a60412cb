"""What one receiver is sent in a turn: what waits for it, in order per subject, as long as it takes it.

Where a receiver can't be reached, or has had too much, nothing more is sent to it until its pause is over. A
message that it answers with 5xx only holds up those of its own subject.

The database's clock decides what is due: those of hosts may be ahead of it or behind.
"""

import logging
import time
from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Now

from core.outgoing import CallFailedError, TargetForbiddenError, post
from webhooks.bodies import body_of
from webhooks.models import Delivery, DeliveryStatus, Receiver
from webhooks.services.failures import tell_people
from webhooks.services.headers import headers_of
from webhooks.services.retrying import Outcome, delay_after, is_out_of_attempts

logger = logging.getLogger(__name__)

# Then those get their turn who wait for one.
_TURN_SECONDS = 5
_BATCH = 25

Call = Callable[[], Outcome]


class Webhook(Protocol):
    """What both kinds of webhooks have."""

    url: str
    secret: str
    enabled: bool


def turn_of(receiver: Receiver) -> Generator[Call, Outcome, None]:
    """Yield what is to be called for a receiver, one after the other; be sent how each call has gone."""
    webhook: Webhook = receiver.webhook
    waiting = Delivery.objects.pending().filter(receiver.recipient.rows)
    if not webhook.enabled:
        waiting.update(status=DeliveryStatus.DISCARDED, finished_at=Now(), error="The webhook is disabled.")
    ends_at = time.monotonic() + _TURN_SECONDS
    held_up: dict[str, datetime] = {}  # subjects, and when their next is due
    while batch := _next(waiting, held_up):
        for delivery in batch:
            if delivery.subject in held_up:
                continue
            if not delivery.is_due:  # type: ignore[attr-defined]  # see `_next`
                held_up[delivery.subject] = delivery.next_attempt_at
                continue
            if time.monotonic() > ends_at:
                _go_on_at(Now(), receiver)
                return
            call = _begin(delivery, webhook)
            if call is None:
                continue
            outcome = yield call
            next_attempt_at = _note(delivery, outcome, receiver)
            if outcome.stops_all:
                return  # it is due still, after its pause
            if next_attempt_at is not None:
                held_up[delivery.subject] = next_attempt_at
    _go_on_at(min(held_up.values(), default=None), receiver)


def pause(receiver: Receiver, delay: timedelta) -> None:
    """Send nothing to a receiver for a time."""
    _row(receiver).update(paused_until=Now() + delay)
    receiver.paused_until = _value_of(receiver, "paused_until")


def _next(waiting: QuerySet[Delivery], held_up: dict[str, datetime]) -> list[Delivery]:
    """Return the oldest deliveries of subjects that aren't held up."""
    oldest = waiting.exclude(subject__in=list(held_up)).select_related("event").order_by("pk")
    return list(
        oldest.annotate(is_due=_has_come("next_attempt_at"), is_late=_has_come("give_up_at"))[:_BATCH]
    )


def _has_come(moment: str) -> ExpressionWrapper:
    return ExpressionWrapper(Q(**{f"{moment}__lte": Now()}), output_field=BooleanField())


def _go_on_at(moment: Any, receiver: Receiver) -> None:
    """Let a receiver's next turn be then, unless something was written meanwhile: that is due at once."""
    _row(receiver).filter(due_at=receiver.due_at).update(due_at=moment)


def _begin(delivery: Delivery, webhook: Webhook) -> Call | None:
    """Return what sends a message once; None: there is nothing left to tell, or nobody."""
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
    return partial(_call, webhook.url, body, headers)


def _call(url: str, body: bytes, headers: dict[str, str]) -> Outcome:
    """Post a message, in a thread that has no connection to the database."""
    begun_at = time.monotonic()
    try:
        return Outcome.of(post(url, body, headers))
    except TargetForbiddenError as error:
        return Outcome(None, time.monotonic() - begun_at, str(error))
    except CallFailedError as error:
        return Outcome(None, time.monotonic() - begun_at, str(error), is_final=False)


def _note(delivery: Delivery, outcome: Outcome, receiver: Receiver) -> datetime | None:
    """Write down how an attempt has ended, and return when the next one is to be; None: it was the last."""
    noted = {
        "response_status": outcome.status,
        "duration_ms": round(outcome.seconds * 1000),
        "error": outcome.error[:500],
    }
    _note_standing(receiver, outcome)
    if outcome.is_success:
        _row(delivery).update(status=DeliveryStatus.DELIVERED, finished_at=Now(), **noted)
        return None
    is_late = delivery.is_late  # type: ignore[attr-defined]  # see `_next`
    if outcome.is_final or is_late or is_out_of_attempts(delivery.attempts):
        _give_up(delivery, noted, receiver, with_other_late_ones=outcome.stops_all)
        return None
    again_at = (
        receiver.paused_until if outcome.stops_all else Now() + delay_after(delivery.attempts, outcome.wish)
    )
    _row(delivery).update(next_attempt_at=again_at, **noted)
    moment: datetime | None = _value_of(delivery, "next_attempt_at")
    return moment


def _note_standing(receiver: Receiver, outcome: Outcome) -> None:
    """Note whether a receiver works, where that is new, and leave it alone for a time if it doesn't."""
    if outcome.stops_all:
        receiver.failures = (receiver.failures or 0) + 1
        _row(receiver).update(failures=receiver.failures)
        pause(receiver, delay_after(receiver.failures, outcome.wish))
    elif outcome.status is not None and (receiver.failures != 0 or receiver.people_know):
        receiver.failures = 0
        receiver.people_know = receiver.people_know and not outcome.is_success
        _row(receiver).update(failures=0, people_know=receiver.people_know)


@transaction.atomic
def _give_up(
    delivery: Delivery, noted: dict[str, Any], receiver: Receiver, *, with_other_late_ones: bool
) -> None:
    """Note that a delivery has failed for good, and those that are as old with it, if they hoped for it."""
    failed = {"status": DeliveryStatus.FAILED, "finished_at": Now()}
    if not _row(delivery).update(**failed, **noted):
        return
    delivery.refresh_from_db(fields=["status", "finished_at", *noted])
    logger.warning("%s was given up after %d attempts: %s", delivery, delivery.attempts, delivery.error)
    if with_other_late_ones:
        late = Delivery.objects.pending().filter(receiver.recipient.rows, give_up_at__lte=Now())
        late.update(**failed, error="The receiver didn't work for too long.")
    tell_people(delivery, receiver)


def _row(row: Delivery | Receiver) -> QuerySet[Any]:
    rows: QuerySet[Any] = type(row)._default_manager.filter(pk=row.pk)
    return rows


def _value_of(row: Delivery | Receiver, field: str) -> Any:
    """Return what the database has there; None: the webhook was deleted meanwhile, and its rows with it."""
    return _row(row).values_list(field, flat=True).first()

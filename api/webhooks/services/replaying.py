"""Sending again what was given up, and forgetting what is long over."""

from datetime import timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from tasks.services import enqueue
from webhooks.models import Delivery, DeliveryStatus, Event, Receiver
from webhooks.recipients import Recipient
from webhooks.services.outbox import PATIENCE

REPLAYABLE = [DeliveryStatus.FAILED, DeliveryStatus.DISCARDED]
_BATCH = 1000


@transaction.atomic
def replay(deliveries: QuerySet[Delivery]) -> int:
    """Have those of some deliveries sent that failed or were discarded, as if for the first time.

    The messages are the same, and so are their ids: a receiver that had one after all can tell. What is
    older goes first, as always, before what waits of the same subject.

    Returns:
        How many will be sent.
    """
    over = deliveries.filter(status__in=REPLAYABLE).order_by("pk").select_for_update()
    rows = list(over.values_list("pk", "environment_webhook", "organisation_webhook"))
    Delivery.objects.filter(pk__in=[pk for pk, *_ in rows]).update(
        status=DeliveryStatus.PENDING,
        attempts=0,
        next_attempt_at=Now(),
        give_up_at=Now() + PATIENCE,
        finished_at=None,
        error="",
    )
    recipients = sorted({Recipient.of_columns(*columns) for _, *columns in rows})
    if recipients:
        # Whoever asks for it has mended the receiver, and doesn't wait for its pause to end.
        to_them = reduce(or_, (each.rows for each in recipients))
        Receiver.objects.filter(to_them).update(paused_until=None)
        enqueue("webhooks.begin_sending", arguments={"recipients": recipients})
    return len(rows)


def forget_old_events() -> int:
    """Delete events, with the log of their deliveries, that are older than they are kept; return how many.

    What still waits to be delivered stays.
    """
    waits = Delivery.objects.pending().filter(event=OuterRef("pk"))
    kept = timedelta(days=settings.WEBHOOK_LOG_RETENTION_DAYS)
    old = Event.objects.filter(~Exists(waits), created_at__lt=Now() - kept).order_by("pk")
    number = 0
    while batch := list(old.values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            Delivery.objects.filter(event__in=batch).delete()
            Event.objects.filter(pk__in=batch).delete()
        number += len(batch)
    return number

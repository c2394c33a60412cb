"""Telling people that a webhook doesn't work: one mail per webhook, however much wasn't delivered."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from mails.services import send
from webhooks.models import Delivery, Receiver

# Of one that takes some and refuses some there would be a mail each time otherwise.
_QUIET = timedelta(hours=24)
# Of what a mail carries: a message has no limit.
_LONGEST_BODY = 10_000


def tell_people(delivery: Delivery, receiver: Receiver) -> None:
    """Have a mail sent about a delivery that was given up, unless its webhook's people know by now.

    They do, if they were told since the last one that was delivered, or in the last 24 hours.
    """
    event = delivery.event
    address = event.organisation.webhook_notification_email
    told_lately = Q(people_told_at__gt=Now() - _QUIET)
    unaware = Receiver.objects.filter(~told_lately, pk=receiver.pk, people_know=False)
    if not address or not unaware.update(people_know=True, people_told_at=Now()):
        return
    receiver.people_know = True
    send(
        "webhook_failure",
        to=address,
        context={
            "url": receiver.webhook.url,
            "organisation": event.organisation,
            "project": event.project,
            "environment": event.environment,
            "delivery": delivery,
            "event": event,
            "body": event.body[:_LONGEST_BODY],
        },
    )

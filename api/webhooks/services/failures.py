"""Telling people that a webhook doesn't work: one mail per webhook, however much wasn't delivered."""

from datetime import timedelta

from django.db.models import Max, QuerySet
from django.utils import timezone

from mails.services import send
from webhooks.models import Delivery, DeliveryStatus

# Of one that takes some and refuses some there would be a mail each time otherwise.
_QUIET = timedelta(hours=24)
# Of what a mail carries: a message has no limit.
_LONGEST_BODY = 10_000


def tell_people(delivery: Delivery) -> None:
    """Have a mail sent about a delivery that was given up, unless its webhook's people know by now.

    They do, if one before it has failed since the last that was delivered, or in the last 24 hours.
    """
    organisation = delivery.event.organisation
    address = organisation.webhook_notification_email
    if not address or _was_told(delivery):
        return
    webhook = delivery.environment_webhook or delivery.organisation_webhook
    event = delivery.event
    send(
        "webhook_failure",
        to=address,
        context={
            "url": webhook.url if webhook else "",
            "organisation": organisation,
            "project": event.project,
            "environment": event.environment,
            "delivery": delivery,
            "event": event,
            "body": event.body[:_LONGEST_BODY],
        },
    )


def _was_told(delivery: Delivery) -> bool:
    of_webhook: QuerySet[Delivery] = Delivery.objects.filter(delivery.recipient.deliveries).exclude(
        pk=delivery.pk
    )
    delivered = of_webhook.filter(status=DeliveryStatus.DELIVERED)
    worked_at = delivered.aggregate(moment=Max("finished_at"))["moment"]
    failed_at = of_webhook.failed().aggregate(moment=Max("finished_at"))["moment"]  # type: ignore[attr-defined]
    if failed_at is None:
        return False
    return worked_at is None or failed_at > worked_at or failed_at > timezone.now() - _QUIET

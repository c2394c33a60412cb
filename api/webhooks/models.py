"""What is to be told to webhooks, what became of telling it, and who doesn't answer."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Min, Q
from django.db.models.functions import Greatest, Now

from webhooks.recipients import Recipient


class EventType(models.TextChoices):
    """What has happened: Flagsmith's words."""

    FLAG_UPDATED = "FLAG_UPDATED", "Flag updated"
    FLAG_DELETED = "FLAG_DELETED", "Flag deleted"
    NEW_VERSION_PUBLISHED = "NEW_VERSION_PUBLISHED", "New version published"
    AUDIT_LOG_CREATED = "AUDIT_LOG_CREATED", "Audit log created"


class Event(models.Model):
    """Something that happened and that somebody wishes to be told, written in the transaction that did it.

    Attributes:
        uuid: tells receivers which messages are one and the same: it is part of their `webhook-id`.
        subject: what it is about, e.g. `feature 7`. Events of one subject arrive in their order.
        body: the text that is sent, exactly. Empty until the first attempt where `source_id` is given.
        source_id: the row that the body is made from, by what stands in `webhooks.bodies` for the type.
    """

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event_type = models.CharField(max_length=30, choices=EventType)
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    project = models.ForeignKey(
        "projects.Project", on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    environment = models.ForeignKey(
        "environments.Environment", on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    subject = models.CharField(max_length=100)
    body = models.TextField(blank=True)
    source_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        ordering = ["id"]
        indexes = [
            # For cascades, and for forgetting old ones.
            models.Index(fields=["organisation"], name="webhook_events_of_organisation"),
            models.Index(
                fields=["project"], condition=Q(project__isnull=False), name="webhook_events_of_project"
            ),
            models.Index(
                fields=["environment"],
                condition=Q(environment__isnull=False),
                name="webhook_events_of_environment",
            ),
            models.Index(fields=["created_at"], name="webhook_events_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.uuid}"

    @property
    def message_id(self) -> str:
        """What `webhook-id` says of it, the same to everyone and at each attempt."""
        return f"msg_{self.uuid.hex}"


class DeliveryStatus(models.TextChoices):
    PENDING = "PENDING", "Pending"  # to be attempted, for the first time or again
    DELIVERED = "DELIVERED", "Delivered"
    FAILED = "FAILED", "Failed"  # a dead letter: nobody tries any more, unless it is asked for
    DISCARDED = "DISCARDED", "Discarded"  # its webhook was switched off, or what it tells of is gone


PENDING = Q(status=DeliveryStatus.PENDING)


class DeliveryQuerySet(models.QuerySet):
    def pending(self) -> "DeliveryQuerySet":
        return self.filter(PENDING)

    def failed(self) -> "DeliveryQuerySet":
        return self.filter(status=DeliveryStatus.FAILED)


class Delivery(models.Model):
    """One event on its way to one webhook, that of an environment or that of an organisation.

    Attributes:
        subject: the event's. Of one webhook and subject the pending one with the lowest id goes first.
        attempts: how often it was begun to be sent, since it was written or replayed.
        next_attempt_at: not before then. Of what isn't pending it means nothing.
        give_up_at: an attempt that fails after this was the last.
        response_status: what the last attempt was answered with; None: nobody answered.
        duration_ms: how long the last attempt took.
        error: why it failed, in words for people. Nothing of what the receiver said is kept.
    """

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    environment_webhook = models.ForeignKey(
        "environments.EnvironmentWebhook",
        on_delete=models.CASCADE,
        null=True,
        related_name="deliveries",
        db_index=False,
    )
    organisation_webhook = models.ForeignKey(
        "organisations.OrganisationWebhook",
        on_delete=models.CASCADE,
        null=True,
        related_name="deliveries",
        db_index=False,
    )
    subject = models.CharField(max_length=100)
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    next_attempt_at = models.DateTimeField(db_default=Now())
    give_up_at = models.DateTimeField()
    last_attempt_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(environment_webhook__isnull=True) ^ Q(organisation_webhook__isnull=True),
                name="delivery_to_one_webhook",
            )
        ]
        indexes = [
            models.Index(
                F("environment_webhook"),
                F("id").desc(),
                condition=Q(environment_webhook__isnull=False),
                name="deliveries_to_environment",
            ),
            models.Index(
                F("organisation_webhook"),
                F("id").desc(),
                condition=Q(organisation_webhook__isnull=False),
                name="deliveries_to_organisation",
            ),
            models.Index(
                fields=["environment_webhook", "organisation_webhook", "id"],
                condition=PENDING,
                name="pending_deliveries",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.recipient}"

    @property
    def recipient(self) -> Recipient:
        """Return which webhook it goes to."""
        return Recipient.of_columns(self.environment_webhook_id, self.organisation_webhook_id)


class ReceiverQuerySet(models.QuerySet):
    def due(self) -> "ReceiverQuerySet":
        """Return those that can be sent something now, whoever has waited longest first."""
        is_paused = Q(paused_until__gt=Now())
        return self.filter(~is_paused, due_at__lte=Now()).order_by("due_at", "pk")

    def next_moment(self) -> datetime | None:
        """Return when the first of them is due; None: nothing waits."""
        # The greatest of what isn't null.
        moments = self.filter(due_at__isnull=False).aggregate(moment=Min(Greatest("due_at", "paused_until")))
        moment: datetime | None = moments["moment"]
        return moment


class Receiver(models.Model):
    """Who stands behind a webhook: whether something waits for them, and whether they answer.

    Attributes:
        due_at: since when something waits that can be sent, or from when on it can; None: nothing waits.
        paused_until: nothing is sent before then, because it couldn't be reached or has had too much.
        failures: how often in a row that was so; None: it has never been tried.
        people_know: somebody was told that it doesn't work, and nothing was delivered since.
        people_told_at: when somebody was told last.
    """

    id = models.BigAutoField(primary_key=True)
    environment_webhook = models.OneToOneField(
        "environments.EnvironmentWebhook", on_delete=models.CASCADE, null=True, related_name="+"
    )
    organisation_webhook = models.OneToOneField(
        "organisations.OrganisationWebhook", on_delete=models.CASCADE, null=True, related_name="+"
    )
    due_at = models.DateTimeField(null=True, db_index=True)
    paused_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(null=True)
    people_know = models.BooleanField(db_default=False)
    people_told_at = models.DateTimeField(null=True)

    objects = ReceiverQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(environment_webhook__isnull=True) ^ Q(organisation_webhook__isnull=True),
                name="receiver_of_one_webhook",
            )
        ]

    def __str__(self) -> str:
        return str(self.recipient)

    @property
    def recipient(self) -> Recipient:
        """Return which webhook it stands behind."""
        return Recipient.of_columns(self.environment_webhook_id, self.organisation_webhook_id)

    @property
    def webhook(self) -> Any:
        """Return the row of that webhook."""
        return self.environment_webhook or self.organisation_webhook

"""Webhooks in the admin: what waits, arrived or was given up, and may be sent again; who doesn't answer."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin
from webhooks.models import Delivery, Event, Receiver
from webhooks.services import replay


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["id", "event_type", "subject", "organisation", "environment", "created_at"]
    list_filter = ["event_type"]
    list_select_related = ["organisation", "environment"]
    search_fields = ["=id", "=uuid", "=subject"]
    show_full_result_count = False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "event_type",
        "recipient",
        "subject",
        "status",
        "attempts",
        "response_status",
        "duration_ms",
        "error",
        "last_attempt_at",
        "next_attempt_at",
    ]
    list_filter = ["status", "event__event_type"]
    list_select_related = ["event"]
    search_fields = ["=id", "=event__uuid", "=subject"]
    show_full_result_count = False
    actions = ["replay"]

    @admin.display(description="event")
    def event_type(self, delivery: Delivery) -> str:
        return delivery.event.event_type

    @admin.action(description="Send again what failed or was discarded")
    def replay(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        self.message_user(request, f"{replay(deliveries)} will be sent again.", messages.SUCCESS)


@admin.register(Receiver)
class ReceiverAdmin(ReadOnlyAdmin):
    list_display = ["id", "recipient", "webhook", "failures", "due_at", "paused_until", "people_told_at"]
    list_select_related = ["environment_webhook", "organisation_webhook"]
    search_fields = ["=id", "environment_webhook__url", "organisation_webhook__url"]
    show_full_result_count = False

"""Telling other services, in the background: one job at a time for each of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from audit.models import AuditRecord
from integrations.calls import Call
from integrations.events import event_of
from integrations.models import Integration, Message
from integrations.selectors import configuration_of, integration_with
from integrations.sending import MOST_SECONDS, PATIENCE, CallsOf, tell
from tasks.registry import recurring, task
from tasks.services import enqueue

# The last call of a turn may take five seconds more.
TIMEOUT = timedelta(seconds=MOST_SECONDS + 30)
_OF_CHANGES, _OF_IDENTITIES = "integrations.tell_of_changes", "sdk.tell_of_identities"


@task(is_kept=False)
def begin_telling(*, integration_ids: list[int]) -> None:
    """Have services be told what waits for them."""
    for integration in Integration.objects.filter(pk__in=integration_ids).defer("secrets"):
        _enqueue(integration)


@task(timeout=TIMEOUT, is_kept=False)
def tell_of_changes(*, integration_id: int) -> None:
    """Tell a service of records of the audit log."""
    tell_in_turn(integration_id, _calls_of_record)


@recurring(every=timedelta(hours=1))
def forget_old_messages() -> None:
    """Forget what waits for services that nobody asks any more, since their environment was deleted."""
    Message.objects.filter(created_at__lt=Now() - PATIENCE).delete()


def tell_in_turn(integration_id: int, calls_of: CallsOf) -> None:
    """Tell a service what waits for it, and leave what is left then to another job."""
    integration = integration_with(integration_id)
    again_at = tell(integration, calls_of) if integration else None
    if integration and again_at:
        _enqueue(integration, again_at)


def _enqueue(integration: Integration, run_at: datetime | None = None) -> None:
    enqueue(
        _OF_IDENTITIES if integration.about.of_identity else _OF_CHANGES,
        arguments={"integration_id": integration.pk},
        run_at=run_at,
        key=f"integrations.tell {integration.pk}",
    )


def _calls_of_record(integration: Integration, content: Any) -> Sequence[Call]:
    of_event = integration.about.of_event
    records = AuditRecord.objects.select_related("author", "project", "environment")
    record = records.filter(pk=content["record"]).first()
    if of_event is None or record is None:
        return []
    call = of_event(event_of(record), configuration_of(integration))
    return [call] if call else []

"""Telling other services, in the background."""

from datetime import timedelta

from audit.models import AuditRecord
from integrations.events import event_of
from integrations.selectors import integration_with
from integrations.sending import send
from tasks.registry import task

# For an hour and a half: 10 seconds, 20, 40, …
_ATTEMPTS, _BACKOFF = 10, timedelta(seconds=10)


@task(attempts=_ATTEMPTS, backoff=_BACKOFF, is_kept=False)
def tell_of_change(*, integration_id: int, record_id: int) -> None:
    """Tell a service of a record of the audit log. One that isn't connected any more is told nothing.

    Raises:
        NotTakenError, CallFailedError: it can't be reached, or answers that it can't at the moment.
        GiveUp: it doesn't take it.
    """
    integration = integration_with(integration_id)
    records = AuditRecord.objects.select_related("author", "project", "environment")
    record = records.filter(pk=record_id).first()
    if integration is None or record is None or integration.about.of_event is None:
        return
    if call := integration.about.of_event(event_of(record), integration.configuration):
        send(call)

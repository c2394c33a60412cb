"""What messages say, where that isn't written with the event: made before the first attempt, and then kept.

The app that has the rows declares it in its `webhook_bodies.py`, which is found at start:

    @tells(EventType.AUDIT_LOG_CREATED)
    def audit_item(record_id: int) -> Any: ...
"""

from collections.abc import Callable
from typing import Any

from core.outgoing import as_bytes
from webhooks.models import Event, EventType

Source = Callable[[int], Any]

_sources: dict[EventType, Source] = {}


def tells(event_type: EventType) -> Callable[[Source], Source]:
    """Make a function what says the `data` of such events, given the id of their source; None: it is gone."""

    def declare(function: Source) -> Source:
        _sources[event_type] = function
        return function

    return declare


def text_of(event_type: str, data: Any) -> str:
    """Return the body of a message: `{"data": …, "event_type": …}`, its keys sorted at every level."""
    return as_bytes({"event_type": str(event_type), "data": data}).decode()


def body_of(event: Event) -> bytes | None:
    """Return what is sent for an event, the same bytes each time; None: what it tells of is gone."""
    if not event.body and event.source_id is not None:
        data = _sources[EventType(event.event_type)](event.source_id)
        if data is None:
            return None
        event.body = text_of(event.event_type, data)
        # Whoever makes it second, sends what the first has made.
        if not Event.objects.filter(pk=event.pk, body="").update(body=event.body):
            event.refresh_from_db(fields=["body"])
    return event.body.encode()

"""Telling the workers of this process that there is something to do; others look by themselves."""

from threading import Event

_events: set[Event] = set()


def listen(event: Event) -> None:
    """Have an event set whenever a job of this process may be run."""
    _events.add(event)


def forget(event: Event) -> None:
    _events.discard(event)


def wake() -> None:
    for event in list(_events):
        event.set()

"""What the apps above tell webhooks, and what is done about it."""

from webhooks.services.outbox import Notice, Origin, listeners_in, tell, tell_of_records
from webhooks.services.replaying import REPLAYABLE, forget_old_events, replay

__all__ = [
    "REPLAYABLE",
    "Notice",
    "Origin",
    "forget_old_events",
    "listeners_in",
    "replay",
    "tell",
    "tell_of_records",
]

"""Sending to all webhooks at the same time, so that nobody waits for a receiver that doesn't answer.

One job does this for all. It alone speaks with the database, and makes the calls in threads: a receiver that
is dead holds a thread for ten seconds at each of its ever rarer attempts. Such receivers never hold more than
half of the threads, and those that are new, and may be dead, leave some to those that have answered.
"""

import logging
import time
from collections.abc import Collection, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Q

from webhooks.models import Receiver
from webhooks.recipients import Recipient
from webhooks.services.retrying import Outcome
from webhooks.services.sending import Call, pause, turn_of

logger = logging.getLogger(__name__)

CALLS = 64
# Who is called while there are fewer calls than so many: who answered the last time; who is new; others.
_CALLED_BELOW = ((Q(failures=0), CALLS), (Q(failures__isnull=True), 48), (Q(failures__gt=0), 32))
# A job goes on for so long; another one follows.
MOST_SECONDS = 600
# How often it looks for what was written meanwhile.
_LOOK_SECONDS = 0.2
_AFTER_ERRORS = timedelta(minutes=5)

_WAKE = """
INSERT INTO webhooks_receiver ({kind}_webhook_id, due_at)
SELECT id, statement_timestamp() FROM {kind}s_{kind}webhook WHERE id = ANY(%(ids)s) ORDER BY id
ON CONFLICT ({kind}_webhook_id) DO UPDATE SET due_at = EXCLUDED.due_at
"""


def wake(recipients: Collection[Recipient]) -> None:
    """Note that something waits for these webhooks."""
    for kind in ("environment", "organisation"):
        if ids := [each.webhook_id for each in recipients if each.kind == kind]:
            with connection.cursor() as cursor:
                cursor.execute(_WAKE.format(kind=kind), {"ids": ids})


def send_due() -> datetime | None:
    """Send what is due, until nothing is, and return when to go on; None: nothing waits."""
    if settings.DISABLE_WEBHOOKS:
        return None
    callers = ThreadPoolExecutor(CALLS, thread_name_prefix="webhook")
    try:
        _Dispatcher(callers).run()
    finally:
        # Nobody is in a call at the end, unless the job was ended: then nobody waits for the answer.
        callers.shutdown(wait=False)
    return Receiver.objects.next_moment()


class _Turn(NamedTuple):
    receiver: Receiver
    calls: Generator[Call, Outcome, None]


class _Dispatcher:
    """Has a turn of each receiver that is due go on, at the same time as those of others."""

    def __init__(self, callers: ThreadPoolExecutor) -> None:
        self._callers = callers
        self._turns: dict[Future[Outcome], _Turn] = {}  # by the call that each waits for

    def run(self) -> None:
        stop_at = time.monotonic() + MOST_SECONDS
        look_at = 0.0
        while True:
            now = time.monotonic()
            if now < stop_at and (now >= look_at or not self._turns):
                self._begin_turns()
                look_at = now + _LOOK_SECONDS
            if not self._turns:
                return
            done, _ = wait(self._turns, _LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for call in done:
                self._go_on(self._turns.pop(call), call)

    def _begin_turns(self) -> None:
        due = Receiver.objects.due().select_related("environment_webhook", "organisation_webhook")
        for standing, most in _CALLED_BELOW:
            busy = [turn.receiver.pk for turn in self._turns.values()]
            free = max(0, most - len(busy))
            for receiver in due.filter(standing).exclude(pk__in=busy)[:free]:
                self._go_on(_Turn(receiver, turn_of(receiver)))

    def _go_on(self, turn: _Turn, call: Future[Outcome] | None = None) -> None:
        """Make the next call of a turn, given the one before; none: it begins."""
        try:
            following = next(turn.calls) if call is None else turn.calls.send(call.result())
        except StopIteration:
            return
        except Exception:
            # Whatever it is about this receiver, others get theirs.
            logger.exception("Nothing is sent to %s for some minutes.", turn.receiver)
            pause(turn.receiver, _AFTER_ERRORS)
            return
        self._turns[self._callers.submit(following)] = turn

"""Telling a service what waits for it: one job at a time, in order, and for a while only.

So nothing overtakes, and a service that is dead or slow holds one thread of a worker, at ever rarer attempts:
nobody else waits for it. What it is told next waits with what it hasn't taken.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from core.outgoing import CallFailedError, TargetForbiddenError, post
from integrations.calls import Call
from integrations.models import Integration, Message

logger = logging.getLogger(__name__)

# After that another job goes on, so that others get their turn. The last call may take longer.
MOST_SECONDS = 15.0
_CALL_SECONDS = 5.0
# What waits for longer is told to nobody any more.
PATIENCE = timedelta(minutes=90)
# Calls of one message, which are made side by side.
MOST_CALLS = 20

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=10)
# They may take it later: too slow, too early, too much. And whatever is a fault of theirs.
_MAY_CHANGE = {408, 425, 429}
_BATCH = 100

CallsOf: TypeAlias = Callable[[Integration, Any], Sequence[Call]]


class _Outcome(NamedTuple):
    """How a call has ended. The error is empty where it was taken; a final one would be the same again."""

    error: str = ""
    is_final: bool = True


def tell(integration: Integration, calls_of: CallsOf) -> datetime | None:
    """Tell a service what waits for it, and return when to go on; None: nothing waits any more.

    Args:
        calls_of: what is sent for the content of a message, `MOST_CALLS` at most.
    """
    if Integration.objects.filter(pk=integration.pk, paused_until__gt=Now()).exists():
        return integration.paused_until
    stop_at = time.monotonic() + MOST_SECONDS
    while batch := list(Message.objects.filter(integration=integration)[:_BATCH]):
        for message in batch:
            if time.monotonic() > stop_at:
                return timezone.now()
            outcomes = _send(calls_of(integration, message.content))
            if not_taken := [each.error for each in outcomes if not each.is_final]:
                return _pause(integration, not_taken[0])
            _go_on(integration, next((each.error for each in outcomes if each.error), ""))
            message.delete()
    return None


def _send(calls: Sequence[Call]) -> list[_Outcome]:
    if len(calls) < 2:
        return [_outcome(call) for call in calls]
    with ThreadPoolExecutor(MOST_CALLS) as threads:
        return list(threads.map(_outcome, calls))


def _outcome(call: Call) -> _Outcome:
    try:
        answer = post(
            call.url,
            call.body,
            call.headers,
            content_type=call.content_type,
            timeout_seconds=_CALL_SECONDS,
        )
    except TargetForbiddenError as error:
        return _Outcome(str(error))
    except CallFailedError as error:
        return _Outcome(str(error), is_final=False)
    if answer.is_success:
        return _Outcome()
    is_final = answer.status < 500 and answer.status not in _MAY_CHANGE
    return _Outcome(f"It answered {answer.status}.", is_final)


def _go_on(integration: Integration, error: str) -> None:
    """Note that the service works, and what it said if it refused the message."""
    if (integration.failures, integration.last_error) == (0, error):
        return
    if error:
        logger.warning("%s (%d) refuses what it is told: %s", integration, integration.pk, error)
    _note(integration, failures=0, paused_until=None, last_error=error)


def _pause(integration: Integration, error: str) -> datetime | None:
    """Leave a service alone for a while that took nothing, twice as long each time, and return until when."""
    late, _ = Message.objects.filter(integration=integration, created_at__lt=Now() - PATIENCE).delete()
    pause = min(_FIRST_PAUSE * (1 << min(integration.failures, 10)), _LONGEST_PAUSE)
    _note(integration, failures=F("failures") + 1, paused_until=Now() + pause, last_error=error[:500])
    logger.warning(
        "%s (%d) is left alone for %d seconds: %s %d messages were given up.",
        integration,
        integration.pk,
        pause.total_seconds(),
        error,
        late,
    )
    return integration.paused_until


def _note(integration: Integration, **state: Any) -> None:
    Integration.objects.filter(pk=integration.pk).update(**state)
    integration.refresh_from_db(fields=list(state))

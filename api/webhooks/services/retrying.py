"""Whether a delivery that wasn't taken is tried again, and when."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.conf import settings
from django.utils import timezone

from core.outgoing import Answer

LONGEST_DELAY = timedelta(hours=1)
LONGEST_WISH = timedelta(hours=24)
TOO_MANY_REQUESTS = 429
# Of the delay, at most, that is added so that those who failed together don't come back together.
_JITTER = 0.25


@dataclass(frozen=True)
class Outcome:
    """How an attempt has ended.

    Attributes:
        status: what it was answered with; None: nobody answered.
        error: empty where it was taken.
        is_final: another attempt would end the same way.
        wish: how long the receiver wishes not to be asked.
    """

    status: int | None
    seconds: float
    error: str = ""
    is_final: bool = True
    wish: timedelta | None = None

    @classmethod
    def of(cls, answer: Answer) -> "Outcome":
        if answer.is_success:
            return cls(answer.status, answer.seconds)
        return cls(
            answer.status,
            answer.seconds,
            f"It was answered with HTTP {answer.status}.",
            is_final=answer.status < 500 and answer.status != TOO_MANY_REQUESTS,
            wish=wish_in(answer.retry_after),
        )

    @property
    def is_success(self) -> bool:
        return not self.error

    @property
    def stops_all(self) -> bool:
        """Whether it says of the receiver, and not of this one message, that it doesn't work now."""
        return not self.is_final and (self.status is None or self.status == TOO_MANY_REQUESTS)


def is_out_of_attempts(attempts: int) -> bool:
    """Whether there were as many as the server is set to make; by default the time alone ends them."""
    return 0 < settings.WEBHOOK_BACKOFF_RETRIES <= attempts


def delay_after(attempts: int, wish: timedelta | None = None) -> timedelta:
    """Return how long to wait when so many attempts have failed: 2, 4, 8 … seconds, at most an hour.

    A receiver that wishes for more gets it. A bit that is left to chance comes on top.
    """
    longest = LONGEST_DELAY.total_seconds()
    # Above 40 it is more than the most for every base that grows.
    seconds = min(float(settings.WEBHOOK_BACKOFF_BASE) ** min(attempts, 40), longest)
    seconds = max(seconds, wish.total_seconds() if wish else 0)
    return timedelta(seconds=seconds * (1 + random.uniform(0, _JITTER)))  # noqa: S311  # no secret


def wish_in(retry_after: str) -> timedelta | None:
    """Return what a `Retry-After` header asks for, in seconds or as a date, up to a day; None: nothing."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WISH)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return min(max(_aware(moment) - timezone.now(), timedelta(0)), LONGEST_WISH)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

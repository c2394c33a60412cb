"""Where it is counted: in the database, or in a cache that all workers share."""

import logging
import time
from typing import Protocol

from django.conf import settings
from django.core.cache import caches
from django.db import connection

logger = logging.getLogger(__name__)


class Counters(Protocol):
    def take(self, key: str, *, limit: int, seconds: int) -> float | None:
        """Count one more of at most `limit` in `seconds`.

        Returns:
            None where that was allowed, else the seconds until it will be. What isn't allowed isn't counted.
        """


# The condition is looked at with the row locked, so of those who come at once none counts past the limit.
_TAKE = """
INSERT INTO core_throttlecounter AS kept (key, hits, expires_at)
VALUES (
    %(key)s, ARRAY[clock_timestamp()], clock_timestamp() + make_interval(secs => %(seconds)s)
)
ON CONFLICT (key) DO UPDATE SET
    hits = ARRAY(
        SELECT hit FROM unnest(kept.hits) AS hit
        WHERE hit > clock_timestamp() - make_interval(secs => %(seconds)s) ORDER BY hit
    ) || clock_timestamp(),
    expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE (
    SELECT count(*) FROM unnest(kept.hits) AS hit
    WHERE hit > clock_timestamp() - make_interval(secs => %(seconds)s)
) < %(limit)s
RETURNING cardinality(kept.hits)
"""
_WAIT = """
SELECT extract(epoch FROM min(hit) + make_interval(secs => %(seconds)s) - clock_timestamp())::float
FROM core_throttlecounter, unnest(hits) AS hit
WHERE key = %(key)s AND hit > clock_timestamp() - make_interval(secs => %(seconds)s)
"""
# With each counter that begins some end, so that there are never many that count nothing any more.
_SWEEP = """
DELETE FROM core_throttlecounter WHERE key IN (
    SELECT key FROM core_throttlecounter WHERE expires_at < clock_timestamp()
    ORDER BY expires_at LIMIT 10 FOR UPDATE SKIP LOCKED
)
"""


class DatabaseCounters:
    """Keeps the moments of what was allowed, so that no window of `seconds` ever holds more than `limit`."""

    def take(self, key: str, *, limit: int, seconds: int) -> float | None:
        values: dict[str, str | int] = {"key": key, "limit": limit, "seconds": seconds}
        if limit < 1:
            return seconds
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, values)
            taken = cursor.fetchone()
            if taken is None:
                cursor.execute(_WAIT, values)
                return float(cursor.fetchone()[0] or 0)
            if taken[0] == 1:
                cursor.execute(_SWEEP)
        return None


def delete_expired_counters() -> None:
    """Delete those that count nothing any more; as long as others begin, some of them go with each."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_throttlecounter WHERE expires_at < clock_timestamp()")


class CacheCounters:
    """Counts by the minute (or whatever the window is) of the clock, in one of Django's caches.

    A cache that is away limits nobody: it was chosen to be quick, not to be needed.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def take(self, key: str, *, limit: int, seconds: int) -> float | None:
        now = time.time()
        name = f"throttle:{key}:{int(now // seconds)}"
        cache = caches[self._alias]
        try:
            cache.add(name, 0, seconds)
            count = cache.incr(name)
        except Exception:  # each back end has its own
            if settings.DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS:
                logger.warning("The cache of the throttles can't be reached.", exc_info=True)
            return None
        return seconds - now % seconds if count > limit else None

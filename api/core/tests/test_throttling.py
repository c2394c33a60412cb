"""Limits whose counters all workers share."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from core.models import ThrottleCounter
from core.throttling.counters import CacheCounters, DatabaseCounters

SECONDS = 60


@pytest.fixture(params=["database", "cache"])
def counters(request, settings):
    if request.param == "database":
        request.getfixturevalue("db")
        return DatabaseCounters()
    settings.CACHES = {
        **settings.CACHES,
        "user_throttle": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "counters"},
    }
    return CacheCounters("user_throttle")


def age(key: str, seconds: float) -> None:
    """Let what was counted have happened so much earlier."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE core_throttlecounter
            SET hits = ARRAY(SELECT hit - make_interval(secs => %s) FROM unnest(hits) AS hit ORDER BY hit),
                expires_at = expires_at - make_interval(secs => %s)
            WHERE key = %s
            """,
            [seconds, seconds, key],
        )


def test_so_many_are_allowed_and_the_next_is_told_when(counters):
    waits = [counters.take("a", limit=3, seconds=SECONDS) for _ in range(5)]

    assert waits[:3] == [None] * 3
    assert all(0 < wait <= SECONDS for wait in waits[3:])


def test_each_key_has_a_counter_of_its_own(counters):
    counters.take("b", limit=1, seconds=SECONDS)

    assert counters.take("c", limit=1, seconds=SECONDS) is None


def test_none_at_all_can_be_the_limit(counters):
    assert counters.take("d", limit=0, seconds=SECONDS) is not None


def test_no_window_holds_more_than_the_limit_wherever_it_begins(db):
    counters = DatabaseCounters()
    counters.take("a", limit=2, seconds=SECONDS)
    age("a", 50)
    counters.take("a", limit=2, seconds=SECONDS)

    refused = counters.take("a", limit=2, seconds=SECONDS)
    age("a", 11)
    allowed = counters.take("a", limit=2, seconds=SECONDS)
    again = counters.take("a", limit=2, seconds=SECONDS)

    assert refused == pytest.approx(10, abs=2)
    assert allowed is None
    assert again == pytest.approx(49, abs=2)


def test_refusals_do_not_make_the_wait_longer(db):
    counters = DatabaseCounters()
    counters.take("a", limit=1, seconds=SECONDS)
    for _ in range(5):
        counters.take("a", limit=1, seconds=SECONDS)
    age("a", SECONDS + 1)

    assert counters.take("a", limit=1, seconds=SECONDS) is None


def test_what_counts_nothing_any_more_is_deleted(db):
    counters = DatabaseCounters()
    for number in range(5):
        counters.take(f"old {number}", limit=1, seconds=SECONDS)
        age(f"old {number}", 2 * SECONDS)

    counters.take("new", limit=1, seconds=SECONDS)

    assert list(ThrottleCounter.objects.values_list("key", flat=True)) == ["new"]
    assert ThrottleCounter.objects.get().expires_at > timezone.now()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [False, True])
def test_of_many_at_once_no_more_than_the_limit_get_through(is_known):
    counters, together = DatabaseCounters(), threading.Barrier(12)
    if is_known:
        counters.take("a", limit=100, seconds=SECONDS)
        age("a", 2 * SECONDS)

    def take(number: int) -> list[float | None]:
        together.wait(10)
        try:
            return [counters.take("a", limit=5, seconds=SECONDS) for _ in range(3)]
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        waits = [wait for taken in pool.map(take, range(12)) for wait in taken]

    assert waits.count(None) == 5


def test_the_table_of_counters_is_not_written_to_the_log(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'core_throttlecounter'")

        assert cursor.fetchone() == ("u",)


def test_a_cache_that_is_away_limits_nobody(settings):
    settings.CACHES = {
        **settings.CACHES,
        "user_throttle": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        },
    }

    assert CacheCounters("user_throttle").take("a", limit=1, seconds=SECONDS) is None

"""How soon after its commit a change is what every worker of the host answers."""

import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from django.db import connection

from bench.errors import CaseFailed
from bench.figures import Result, Target, percentile
from bench.rig import Rig
from bench.watching import Watcher, visible_after, watched
from bench.world import Place
from bench.wrk import Load
from documents.rows import current_revision
from features.models import FeatureState
from features.models.state import FOR_EVERYONE

_WHAT = "change visible in every worker"
_CHANGES, _CHANGES_WITHOUT_NOTIFY, _CHANGES_OF_OVERRIDES = 500, 20, 100
_PAUSE_SECONDS = 0.02
_ENOUGH_SECONDS = 60.0  # on a slow machine there are fewer changes
_PAUSE_BESIDE_POLLS_SECONDS = 0.5  # at any moment between two polls of the feed
# The bench's threads note the time: they must not wait long for each other.
_SWITCH_SECONDS = 0.0005


def measure(rig: Rig) -> Iterator[Result]:
    """One flag changes again and again while flags are read: at a pace, then as fast as they are answered."""
    place = rig.world.hundred
    path = "/api/v1/flags/"
    # About 2,000 reads a second, as long as answers come at once.
    paced = Load(path, place.key, script="paced.lua", arguments=("8",), connections=16, threads=1)
    yield from _of_changes(rig, place, paced, "at a pace")
    saturating = Load(path, place.key, connections=16, threads=1)
    yield from _of_changes(rig, place, saturating, "all that it can serve")

    with _without_notify(), rig.under_load(rig.burgee, paced) as reports:
        seen = _seen(
            rig,
            place,
            _flag_change(place),
            times=_CHANGES_WITHOUT_NOTIFY,
            pause_seconds=_PAUSE_BESIDE_POLLS_SECONDS,
        )
    note = f"{seen}, under {reports[0].per_second:,.0f} reads/s"
    yield Result(f"{_WHAT}, NOTIFY cut, longest", max(seen.took), "ms", Target(1500), note=note)


def _of_changes(rig: Rig, place: Place, load: Load, how: str) -> Iterator[Result]:
    with rig.under_load(rig.burgee, load) as reports:
        seen = _seen(rig, place, _flag_change(place), times=_CHANGES, pause_seconds=_PAUSE_SECONDS)
    note = f"{seen}, under {reports[0].per_second:,.0f} reads/s"
    yield Result(f"{_WHAT}, reads {how}, p50", median(seen.took), "ms", note=note)
    yield Result(f"{_WHAT}, reads {how}, p99", percentile(seen.took, 99), "ms", Target(50), note=note)
    yield Result(f"{_WHAT}, reads {how}, longest", max(seen.took), "ms", Target(500), note=note)


def measure_overrides(rig: Rig) -> Iterator[Result]:
    """Of 10,000 overrides for identities, one changes."""
    place = rig.world.overridden
    overrides = list(
        FeatureState.objects.filter(environment_id=place.id, identity__isnull=False).values_list(
            "id", flat=True
        )
    )

    def change(number: int) -> None:
        FeatureState.objects.filter(pk=random.choice(overrides)).update(string_value=f"change {number}")

    seen = _seen(rig, place, change, times=_CHANGES_OF_OVERRIDES, pause_seconds=_PAUSE_SECONDS)
    what = "identity override visible in every worker, of 10,000"
    note = str(seen)
    yield Result(f"{what}, p50", median(seen.took), "ms", note=note)
    yield Result(f"{what}, p99", percentile(seen.took, 99), "ms", Target(250), note=note)


def _flag_change(place: Place) -> Callable[[int], None]:
    state = FeatureState.objects.filter(FOR_EVERYONE, environment_id=place.id).earliest("id").pk

    def change(number: int) -> None:
        FeatureState.objects.filter(pk=state).update(
            enabled=bool(number % 2), string_value=f"change {number}"
        )

    return change


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the watchers of some changes have seen.

    Attributes:
        took: for each change, milliseconds from its commit until the last worker answered it.
        polls_per_second: how often each worker was asked, which is how finely the above is known.
    """

    took: list[float]
    polls_per_second: float

    def __str__(self) -> str:
        return f"{len(self.took)} changes, each worker asked {self.polls_per_second:.0f} times a second"


def _seen(
    rig: Rig, place: Place, change: Callable[[int], None], *, times: int, pause_seconds: float
) -> _Seen:
    """Make changes, one after the other, each when every worker has answered the one before."""
    took = []
    switching = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        with watched(rig.burgee, place.key) as watchers:
            visible_after(watchers, _revision(place), time.monotonic())
            started_at, polls_before = time.monotonic(), _polls(watchers)
            for number in range(times):
                if time.monotonic() - started_at > _ENOUGH_SECONDS:
                    break
                time.sleep(pause_seconds * random.uniform(0.5, 1.5))
                change(number)
                committed_at = time.monotonic()
                took.append(visible_after(watchers, _revision(place), committed_at) * 1000)
            polls = (_polls(watchers) - polls_before) / len(watchers)
            return _Seen(took, polls / (time.monotonic() - started_at))
    finally:
        sys.setswitchinterval(switching)


def _polls(watchers: Sequence[Watcher]) -> int:
    return sum(watcher.polls for watcher in watchers)


def _revision(place: Place) -> int:
    revision = current_revision(place.id)
    if revision is None:
        raise CaseFailed("the environment has no revision")
    return revision.name.number


@contextmanager
def _without_notify() -> Iterator[None]:
    """Let nothing be told of changes inside the block, as behind a pooler that loses notifications."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_functiondef(pg_trigger.tgfoid) "
            "FROM pg_trigger JOIN pg_proc ON pg_proc.oid = pg_trigger.tgfoid "
            "WHERE tgrelid = 'environments_touch'::regclass AND prosrc LIKE '%pg_notify%'"
        )
        (original,) = cursor.fetchone()
        silent, found = re.subn(r"PERFORM pg_notify\(.*?\);", "", original, flags=re.DOTALL)
        if not found:
            raise CaseFailed("the trigger that notifies isn't as this case knows it")
        cursor.execute(silent)
        try:
            yield
        finally:
            cursor.execute(original)

"""The host's floor: seen by all processes, never torn, lowered only by those who saw what it was."""

import errno
import multiprocessing
from pathlib import Path

import pytest

from identities.writes import Writes
from sdk.floor import Floor


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "floor"


def test_an_environment_without_a_floor_is_at_zero(path):
    assert Floor(path)[7] == 0


def test_a_floor_is_seen_by_others_and_stays_after_them(path):
    one, other = Floor(path), Floor(path)

    one.raise_to(7, 41)

    assert other[7] == 41
    one.close()
    assert Floor(path)[7] == 41


def test_a_floor_is_not_raised_to_less(path):
    floor = Floor(path)
    floor.raise_to(7, 41)

    floor.raise_to(7, 40)

    assert floor[7] == 41


def test_a_full_disk_costs_the_floor_and_no_process(path, monkeypatch):
    floor = Floor(path)

    def refuse(file: int, start: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sdk.floor.reserve", refuse)
    floor.raise_to(7, 41)
    floor.raise_to(1_000_000, 41)

    assert (floor[7], floor[1_000_000]) == (41, 0)


def test_there_is_room_on_the_disk_for_all_that_is_written(path, tmp_path):
    Floor(path).raise_to(1_000_000, 41)
    Writes(tmp_path / "writes")

    # Two parts, with nothing between them.
    assert path.stat().st_blocks * 512 >= 2 * 64 * 1024
    assert (tmp_path / "writes").stat().st_blocks * 512 >= 8 * 1024 * 1024


def test_environments_far_apart_have_floors_of_their_own(path):
    one, other = Floor(path), Floor(path)

    one.raise_to(1_000_000, 5)
    one.raise_to(3, 6)

    assert [other[1_000_000], other[3], other[999_999], other[50_000_000]] == [5, 6, 0, 0]
    assert path.stat().st_blocks * 512 < 1_000_000  # a hole where there is nothing


def test_a_floor_is_lowered_unless_somebody_has_moved_it(path):
    floor = Floor(path)
    floor.raise_to(7, 900)
    seen = floor[7]
    Floor(path).raise_to(7, 901)

    floor.lower(7, seen=seen, number=5)
    moved = floor[7]
    floor.lower(7, seen=901, number=5)

    assert (moved, floor[7]) == (901, 5)


def test_when_the_host_was_last_told_is_no_environments_floor(path):
    floor = Floor(path)

    floor.confirm(1_700_000_000.9)

    assert Floor(path).confirmed_at == 1_700_000_000
    assert floor[1] == 0


def raise_often(path: Path, first: int) -> None:
    floor = Floor(path)
    for number in range(first, 4000, 4):
        floor.raise_to(7, number)


def test_processes_that_raise_at_once_never_lose_or_lower_it(path):
    floor = Floor(path)
    spawn = multiprocessing.get_context("fork")
    processes = [spawn.Process(target=raise_often, args=(path, first)) for first in range(4)]
    for process in processes:
        process.start()

    seen, backwards = 0, []
    while any(process.is_alive() for process in processes):
        now = floor[7]
        if now < seen:
            backwards.append((seen, now))
        seen = now
    for process in processes:
        process.join()

    assert backwards == []
    assert floor[7] == 3999

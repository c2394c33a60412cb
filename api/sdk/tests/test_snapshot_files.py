"""Files of a host: whole or nothing, for its owner only, built by one at a time."""

import uuid
from pathlib import Path

import pytest

from documents.rows import RevisionName
from sdk import snapshot_files
from sdk.packing import pack
from sdk.snapshot_files import SnapshotFiles

NAME = RevisionName(12, 345, uuid.UUID("8f9b4d5e-0d3c-4a0e-9f57-5d6b9c1f0b11"))


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "host"


@pytest.fixture
def files(folder) -> SnapshotFiles:
    return SnapshotFiles(folder)


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_another_worker_reads_what_was_written(files, folder):
    files.write(12, pack(NAME, b"{}"), keys=["a-key"])

    other = SnapshotFiles(folder)
    assert other.read(12) == (NAME, b"{}")
    assert other.environment_of("a-key") == 12
    assert other.environment_of("another") is None
    assert other.read(13) is None


def test_nobody_else_may_read(files, folder):
    files.write(12, pack(NAME, b"{}"), keys=["a-key"])
    with files.building(12):
        pass

    assert {mode_of(path) for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert {mode_of(path) for path in [folder, *folder.rglob("*")] if path.is_dir()} == {0o700}


def test_a_newer_content_takes_the_place_of_the_old_and_leaves_nothing_beside(files, folder):
    for number in range(3):
        files.write(12, pack(NAME._replace(number=number), b"{}"), keys=["a-key"])

    found = files.read(12)
    assert found
    assert found[0].number == 2
    assert [path.name for path in folder.glob("12.*")] == ["12.snapshot"]


@pytest.mark.parametrize(
    "mangled", [b"", b"garbage", pack(NAME, b"{}")[:-3]], ids=["empty", "foreign", "cut off"]
)
def test_a_file_that_is_not_whole_counts_as_none(files, folder, mangled):
    (folder / "12.snapshot").write_bytes(mangled)

    assert files.read(12) is None


def test_the_file_of_another_environment_is_not_taken(files, folder):
    (folder / "13.snapshot").write_bytes(pack(NAME, b"{}"))

    assert files.read(13) is None


def test_a_folder_that_cannot_be_written_is_said_once_and_survived(files, folder):
    (folder / "12.snapshot").mkdir()

    assert not files.write(12, pack(NAME, b"{}"), keys=[])


def test_one_builds_at_a_time_but_nobody_waits_for_ever(files, folder, monkeypatch):
    monkeypatch.setattr(snapshot_files, "_LOCK_SECONDS", 0.05)
    order = []

    with files.building(12):
        with SnapshotFiles(folder).building(12):
            order.append("in spite of who stands still")
        with SnapshotFiles(folder).building(13):
            order.append("another environment")

    assert order == ["in spite of who stands still", "another environment"]

"""A log file that several processes write at the same time."""

import logging
import os
from pathlib import Path

from core.logs.files import SharedFile

_LINES = 400


def written(*, to: Path, by: str, lines: int, max_bytes: int = 0, backups: int = 0) -> None:
    handler = SharedFile(str(to), max_bytes, backups)
    for number in range(lines):
        handler.emit(logging.makeLogRecord({"msg": f"{by} {number}"}))
    handler.close()


def test_a_full_file_is_put_aside_and_as_many_are_kept_as_was_said(tmp_path):
    log = tmp_path / "folder" / "server.log"

    written(to=log, by="a", lines=10, max_bytes=12, backups=2)

    kept = {path.name: path.read_text().split("\n")[:-1] for path in log.parent.glob("server.log*")}
    assert kept == {
        "server.log": ["a 9"],
        "server.log.1": ["a 6", "a 7", "a 8"],
        "server.log.2": ["a 3", "a 4", "a 5"],
    }
    assert log.stat().st_mode & 0o777 == 0o600


def test_without_a_limit_a_file_grows_and_one_without_backups_begins_anew(tmp_path):
    written(to=tmp_path / "one", by="a", lines=100)
    written(to=tmp_path / "two", by="a", lines=7, max_bytes=12)

    assert len((tmp_path / "one").read_text().split()) == 200
    assert (tmp_path / "two").read_text() == "a 6\n"
    assert not list(tmp_path.glob("*.1"))


def test_a_file_that_something_else_has_moved_is_made_anew(tmp_path):
    log = tmp_path / "server.log"
    handler = SharedFile(str(log))
    handler.emit(logging.makeLogRecord({"msg": "before"}))
    log.rename(tmp_path / "moved")

    handler.emit(logging.makeLogRecord({"msg": "after"}))
    handler.close()

    assert log.read_text() == "after\n"


def test_processes_that_rotate_the_same_file_lose_no_line(tmp_path):
    log = tmp_path / "server.log"
    children = []
    # As gunicorn's workers have it: opened before the fork.
    shared = SharedFile(str(log), 2000, 99)
    shared.emit(logging.makeLogRecord({"msg": "before"}))
    for name in "abcd":
        child = os.fork()
        if not child:
            for number in range(_LINES):
                shared.emit(logging.makeLogRecord({"msg": f"{name} {number}"}))
            os._exit(0)
        children.append(child)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    shared.close()

    lines = [line for path in tmp_path.glob("server.log*") for line in path.read_text().splitlines()]

    assert statuses == [0, 0, 0, 0]
    assert sorted(lines) == sorted(
        ["before", *(f"{name} {number}" for name in "abcd" for number in range(_LINES))]
    )
    assert max(path.stat().st_size for path in tmp_path.glob("server.log*")) <= 2000 + 200
    assert len(list(tmp_path.glob("server.log.*"))) > 3

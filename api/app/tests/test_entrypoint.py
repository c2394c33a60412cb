"""What a container does, without one: the entrypoint under `sh`, with a Python that notes its calls."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from django.conf import settings

from app.settings.environment import env
from app.tests.commands import free_port
from core.tests.asgi.servers import wait_until

ENTRYPOINT = settings.REPOSITORY_DIR / "docker" / "entrypoint.sh"
HEALTHCHECK = settings.REPOSITORY_DIR / "docker" / "healthcheck.py"

WAIT = "manage.py waitfordb --waitfor 30"
MIGRATE = ["manage.py migrate --noinput", "manage.py createcachetable"]
SERVE = "-m gunicorn --config python:app.gunicorn app.asgi"
PROCESS = "manage.py run-task-processor --port 8000"

# Its arguments and its environment go to files; what FAIL names fails, what HANG names doesn't end.
PYTHON = """#!/bin/sh
echo "$*" >>"$NOTES/calls"
env >"$NOTES/environment"
case "$*" in *"${FAIL:-nothing}"*) exit 3 ;; esac
case "$*" in *"${HANG:-nothing}"*) exec sleep 60 ;; esac
"""


class Container:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.python = folder / "python"
        self.python.write_text(PYTHON)
        self.python.chmod(0o755)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["sh", str(ENTRYPOINT), *arguments],
            cwd="/",
            env={"PATH": f"{self._folder}:{os.environ['PATH']}", "NOTES": str(self._folder), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **environment)
        output, errors = process.communicate(timeout=30)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    @property
    def calls(self) -> list[str]:
        notes = self._folder / "calls"
        return notes.read_text().splitlines() if notes.exists() else []

    @property
    def environment(self) -> list[str]:
        return (self._folder / "environment").read_text().splitlines()


@pytest.fixture
def container(tmp_path):
    return Container(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        (["serve"], [WAIT, SERVE]),
        (["migrate"], [WAIT, *MIGRATE]),
        (["migrate", "--plan"], ["manage.py migrate --plan"]),
        (["migrate-and-serve"], [WAIT, *MIGRATE, "manage.py bootstrap", SERVE]),
        (["run-task-processor"], [WAIT, *MIGRATE, PROCESS]),
        (["run-task-processor", "--numthreads", "2"], [WAIT, *MIGRATE, f"{PROCESS} --numthreads 2"]),
        (["bootstrap", "--email", "kim@example.org"], ["manage.py bootstrap --email kim@example.org"]),
        (["check"], ["manage.py check --deploy --database default", "manage.py migrate --check"]),
        (["check", "users"], ["manage.py check users"]),
        (["healthcheck", "tcp"], ["-I -S ../docker/healthcheck.py tcp"]),
        (["checktaskprocessorthreadhealth"], ["-I -S ../docker/healthcheck.py"]),
        (["waitfordb", "--migrations"], ["manage.py waitfordb --migrations"]),
        (["changepassword", "kim smith"], ["manage.py changepassword kim smith"]),
    ],
    ids=lambda value: " ".join(value) if len(value) < 3 else "",
)
def test_what_each_command_starts(container, arguments, calls):
    result = container.run(*arguments)

    assert (result.returncode, result.stderr) == (0, "")
    assert container.calls == calls


def test_nobody_waits_for_the_database_where_that_is_switched_off(container):
    container.run("migrate-and-serve", SKIP_WAIT_FOR_DB="true")

    assert container.calls == [*MIGRATE, "manage.py bootstrap", SERVE]


def test_nothing_follows_a_migration_that_failed(container):
    result = container.run("migrate-and-serve", FAIL="migrate")

    assert (result.returncode, container.calls) == (3, [WAIT, MIGRATE[0]])


def test_it_serves_without_the_database_in_the_end(container):
    result = container.run("serve", FAIL="waitfordb")

    assert result.returncode == 0
    assert "Starting without the database" in result.stderr
    assert container.calls == [WAIT, SERVE]


def test_a_migration_is_told_to_end_when_the_container_is(container):
    process = container.start("migrate-and-serve", HANG="migrate --noinput")
    wait_until(lambda: len(container.calls) == 2)

    process.send_signal(signal.SIGTERM)

    process.communicate(timeout=10)
    assert process.returncode == 143
    assert container.calls == [WAIT, MIGRATE[0]]


def test_what_there_is_is_listed(container):
    result = container.run()

    assert result.returncode == 0
    for command in ("serve", "migrate", "migrate-and-serve", "run-task-processor", "bootstrap", "check"):
        assert f"\n{command} " in f"\n{result.stdout}"
    assert container.calls == []


def test_secrets_may_be_files(container, tmp_path):
    key, url = tmp_path / "key", tmp_path / "url"
    key.write_text("s3cret $HOME `id` 'quoted'\n")
    url.write_text("postgres://from-a-file")

    container.run(
        "shell",
        DJANGO_SECRET_KEY_FILE=str(key),
        DATABASE_URL_FILE=str(url),
        DATABASE_URL="postgres://given",
        OIDC_ACME_CLIENT_SECRET_FILE=str(key),
        REPLICA_DATABASE_URL_0_FILE=str(url),
    )

    assert "DJANGO_SECRET_KEY=s3cret $HOME `id` 'quoted'" in container.environment
    assert "DATABASE_URL=postgres://given" in container.environment
    assert "OIDC_ACME_CLIENT_SECRET=s3cret $HOME `id` 'quoted'" in container.environment
    assert "REPLICA_DATABASE_URL_0=postgres://from-a-file" in container.environment


def test_a_secret_that_is_not_there_stops_the_start(container):
    result = container.run("serve", DJANGO_SECRET_KEY_FILE="/nowhere/key")

    assert result.returncode == 1
    assert result.stderr == "DJANGO_SECRET_KEY_FILE names /nowhere/key, which can't be read.\n"
    assert container.calls == []


def test_every_secret_that_the_server_reads_may_be_a_file():
    names = ENTRYPOINT.read_text().partition("SECRETS='")[2].partition("'")[0].split()
    secrets = {variable.name for variable in env.declared if variable.is_secret}
    by_pattern = {name for name in secrets if "<" in name or name.endswith("_0")}

    assert secrets - by_pattern == set(names)


def test_secrets_are_made_once_and_for_their_owner_only(container, tmp_path):
    container.python.unlink()
    container.python.symlink_to(sys.executable)
    folder = tmp_path / "secrets"
    folder.mkdir()

    def made(**environment: str) -> list[str]:
        assert container.run("generate-secrets", str(folder), **environment).returncode == 0
        return [(folder / name).read_text().strip() for name in ("secret-key", "database-password")]

    first, second = made(), made()
    given = made(POSTGRES_PASSWORD="of my own")

    assert first == second == [given[0], first[1]]
    assert given[1] == "of my own"
    assert min(map(len, first)) >= 50
    assert first[0] != first[1]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 2


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/liveness" else 500)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_the_health_check_asks_the_server_in_its_container():
    server = HTTPServer(("127.0.0.1", 0), Answering)
    Thread(target=server.serve_forever, daemon=True).start()
    port = str(server.server_port)

    def status(*arguments: str, port: str = port) -> int:
        return subprocess.run(
            [sys.executable, "-I", "-S", str(HEALTHCHECK), *arguments],
            env={"PORT": port},
            capture_output=True,
            timeout=10,
            check=False,
        ).returncode

    assert status() == status("tcp") == status("http") == 0
    assert status("http", "--timeout=2", "--port", port, port="1") == 0
    assert status("http", "path=/other") == status("http", "/other") == 1
    assert status("udp") == status("http", "--port", "eighty") == 2
    server.shutdown()
    server.server_close()
    assert status("tcp", port=str(free_port())) == 1


def test_the_health_check_doesnt_wait_for_a_server_that_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()

        result = subprocess.run(
            [sys.executable, str(HEALTHCHECK), "http", "--timeout", "0.2"],
            env={"PORT": str(silent.getsockname()[1])},
            capture_output=True,
            timeout=10,
            check=False,
        )

    assert result.returncode == 1
    assert time.monotonic() - started < 5

"""`make run`: everything from an empty folder to a server that answers."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from app import embedded_postgres
from app.demo import Administrator, create_demo
from environments.models import Environment
from organisations.models import Organisation
from users.models import User

_START_SECONDS = 60
_STOP_SECONDS = 30

# Enough for one machine with a person at it; set the variables for more.
_SERVER_ENVIRONMENT = {"GUNICORN_WORKERS": "2", "GUNICORN_THREADS": "4", "APP_HOST": "127.0.0.1"}


class Command(BaseCommand):
    help = "Prepare the database, fill an empty one with a demo project, serve, and say how to go on."
    requires_system_checks: list[str] = []  # after the port: what is wrong is told in the order of starting

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT, help="where to listen")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        os.environ.update({**_SERVER_ENVIRONMENT, **os.environ, "PORT": str(port)})
        _refuse_busy_port(os.environ["APP_HOST"], port)
        try:
            self._prepare_database()
            with _server() as server:
                _wait_until_it_answers(server, port)
                administrator = None
                if _is_empty():
                    self._say("Filling the empty database with a demo project …")
                    administrator = create_demo()
                self.stdout.write(_closing_words(f"http://127.0.0.1:{port}", administrator))
                self.stdout.flush()
                connection.close()
                server.wait()
        except DatabaseError as error:
            raise CommandError(f"The database can't be used: {_first_line(error)}") from error
        if server.returncode:
            raise CommandError("The server has ended; its reason stands above.")
        self._say("Stopped.")

    def _prepare_database(self) -> None:
        if connection.settings_dict["ENGINE"] == "app.embedded_postgres":
            self._say(f"Starting PostgreSQL in {settings.DATA_DIR / 'postgres'} …")
        else:
            self._say("Using the database that the environment names.")
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if pending:
            self._say(f"Applying {len(pending)} migrations …")
            call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)  # of caches that are kept in it, if any are

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


def _refuse_busy_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} can't be used ({error.strerror}). Choose another: make run PORT={port + 1}"
            ) from error


@contextmanager
def _server() -> Iterator[subprocess.Popen[bytes]]:
    """Run gunicorn until the block ends; Ctrl-C and SIGTERM end it."""
    # The same database for all processes: the server need not know that it is embedded.
    database = connection.settings_dict
    if database["ENGINE"] == "app.embedded_postgres":
        os.environ["DATABASE_URL"] = embedded_postgres.url(database["FOLDER"])
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:app.gunicorn", "app.asgi"],
        cwd=settings.API_DIR,
        start_new_session=True,  # Ctrl-C comes here alone, and the server is ended in order
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: server.terminate())
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_until_it_answers(server: subprocess.Popen[bytes], port: int) -> None:
    host = os.environ["APP_HOST"]
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        client = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=10)  # noqa: S104
        try:
            client.request("GET", "/")
            client.getresponse()
            return
        except OSError:
            time.sleep(0.05)
        finally:
            client.close()
    raise CommandError("The server doesn't start; its reason stands above.")


def _is_empty() -> bool:
    return not User.objects.exists() and not Organisation.all_objects.exists()


def _closing_words(url: str, administrator: Administrator | None) -> str:
    """Return what a person needs next. A password only stands here at the first run."""
    lines = ["", f"Burgee is running at {url}  (Ctrl-C stops it)", ""]
    superuser = User.objects.filter(is_superuser=True, is_active=True).order_by("id").first()
    if administrator:
        lines += [
            f"Sign in at {url}/admin/",
            f"    e-mail    {administrator.email}",
            f"    password  {administrator.password}    (shown this once)",
        ]
    elif superuser:
        lines += [
            f"Sign in at {url}/admin/ as {superuser.email}. A new password, where it is needed:",
            f"    .venv/bin/python api/manage.py changepassword {superuser.email}",
        ]
    else:
        lines += ["Nobody can sign in yet:", "    .venv/bin/python api/manage.py createsuperuser"]
    return "\n".join([*lines, *_environment_words(url), ""])


def _environment_words(url: str) -> list[str]:
    first = Environment.objects.select_related("project").order_by("project_id", "id").first()
    if first is None:
        return ["", "There is no environment yet: make an organisation, a project and an environment there."]
    environments = first.project.environments.order_by("id")[:5]
    lines = ["", f"Keys of the project {first.project.name}:"]
    for environment in environments:
        lines.append(f"    {environment.name:<14} client-side  {environment.api_key}")
        server_side = environment.server_side_keys.usable().first()
        if server_side:
            lines.append(f"    {'':<14} server-side  {server_side.key}")
    feature = first.project.features.filter(is_server_key_only=False).order_by("id").first()
    reads = (
        [
            f"print(flags.is_feature_enabled({json.dumps(feature.name)}))",
            f"print(flags.get_feature_value({json.dumps(feature.name)}))",
        ]
        if feature
        else ["print(flags.all_flags())"]
    )
    return [
        *lines,
        "",
        "Read flags with curl:",
        f"    curl -H 'X-Environment-Key: {first.api_key}' {url}/api/v1/flags/",
        "",
        # From the first column, as Python wants it when pasted.
        "or with the Flagsmith SDK, which is installed in .venv/bin/python:",
        "",
        "from flagsmith import Flagsmith",
        f'client = Flagsmith(environment_key="{first.api_key}", api_url="{url}/api/v1/")',
        'flags = client.get_identity_flags("kim", traits={"plan": "pro"})',
        *reads,
    ]


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]

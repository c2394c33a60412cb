"""What start scripts call, and what answers for a process that serves nobody."""

import io
from threading import Thread

import pytest
import requests
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

from app.tests.commands import free_port, manage
from core.management.commands.migrate import _LOCK
from core.tests.asgi.servers import wait_until
from operations.management.commands import waitfordb
from operations.probes import ProbeServer


@pytest.mark.django_db
def test_waiting_ends_when_the_database_answers_and_migrations_are_applied():
    call_command("waitfordb", waitfor=0)
    call_command("waitfordb", waitfor=0, migrations=True)


def test_waiting_may_be_for_one_database_only(monkeypatch):
    waited_for = []
    monkeypatch.setattr(waitfordb, "_missing", lambda database, migrations: waited_for.append(database))
    monkeypatch.setattr(waitfordb, "migrated_databases", lambda: ["default", "analytics"])

    call_command("waitfordb", "--waitfor", "0", "--database", "default")
    call_command("waitfordb", "--waitfor", "0")

    assert waited_for == ["default", "default", "analytics"]


@pytest.mark.django_db
def test_waiting_for_migrations_ends_in_time():
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")

    with pytest.raises(CommandError, match=r"^1 migrations aren't applied\.$"):
        call_command("waitfordb", waitfor=0, migrations=True)


def test_a_database_that_is_away_is_told_in_one_line():
    url = f"postgres://kim:s3cret@127.0.0.1:{free_port()}/flags"
    production = {"DJANGO_SETTINGS_MODULE": "app.settings.production", "DJANGO_SECRET_KEY": "k" * 64}

    away = manage("waitfordb", "--waitfor", "0.3", DATABASE_URL=url, **production)
    none = manage("waitfordb", **production)

    assert (away.returncode, none.returncode) == (1, 1)
    assert away.stderr.startswith("CommandError: The database doesn't answer: ")
    assert "s3cret" not in away.stderr
    assert none.stderr.startswith("CommandError: No database is named: set DATABASE_URL")


@pytest.mark.django_db(transaction=True)
def test_of_two_migrations_at_the_same_moment_one_waits_for_the_other():
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    output = io.StringIO()

    def migrate() -> None:
        call_command("migrate", stdout=output)
        connections.close_all()

    thread = Thread(target=migrate)
    thread.start()
    wait_until(lambda: "waiting for it to end" in output.getvalue())
    assert "Running migrations" not in output.getvalue()
    other.close()
    thread.join(30)

    assert "No migrations to apply" in output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a_process_that_serves_nobody_answers_probes():
    broken: list[str] = []
    with ProbeServer("127.0.0.1", 0, lives=lambda: not broken) as server:

        def ask(path: str, method: str = "GET", **headers: str) -> requests.Response:
            return requests.request(
                method, f"http://127.0.0.1:{server.port}{path}", headers=headers, timeout=10
            )

        answers = {
            path: ask(path).status_code
            for path in (
                "/health/liveness/",
                "/health/liveness",
                "/health?format=json",
                "/version/",
                "/metrics/",
                "/processor/monitoring/",
                "/admin/",
                "/api/v1/flags/",
            )
        }
        of_anybody = ask("/health/liveness/", Host="10.1.2.3")
        post = ask("/health/liveness/", "POST")
        broken.append("a job")
        dead = ask("/health/liveness/")

    assert answers == {
        "/health/liveness/": 200,
        "/health/liveness": 200,
        "/health?format=json": 200,
        "/version/": 200,
        "/metrics/": 200,
        "/processor/monitoring/": 401,
        "/admin/": 404,
        "/api/v1/flags/": 404,
    }
    assert of_anybody.json() == {"status": "ok"}
    assert post.status_code == 405
    assert (dead.status_code, dead.json()) == (500, {"status": "broken"})

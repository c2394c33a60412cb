"""`manage.py doctor`: what is in force and what is unsafe, in words and in an exit status."""

import io
import json
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from app.settings.environment import env
from app.tests.commands import free_port, manage
from operations.doctor import of_databases as doctor
from operations.doctor.findings import Finding, Severity
from operations.doctor.of_databases import of_databases
from operations.doctor.of_settings import of_settings
from tasks.models import Job
from users.tests.factories import make_user

SECRET = "correct horse battery staple, and some more letters"
PRODUCTION = {
    "REFUSE_UNSAFE_SETTINGS": True,
    "SECRET_KEY": SECRET,
    "ALLOWED_HOSTS": ["flags.example.org"],
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 60,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
}


@pytest.fixture
def installation(settings, tmp_path):
    """Settings of an installation with nothing to be said about."""
    for name, value in {**PRODUCTION, "SNAPSHOT_DIR": str(tmp_path / "snapshots")}.items():
        setattr(settings, name, value)
    return settings


def told(*arguments: str) -> tuple[int, str]:
    output, status = io.StringIO(), 0
    try:
        call_command("doctor", *arguments, stdout=output)
    except SystemExit as end:
        status = int(str(end.code))
    return status, output.getvalue()


def bad(findings: list[Finding]) -> dict[str, str]:
    return {each.subject: each.severity.name for each in findings if each.severity is not Severity.OK}


@pytest.mark.django_db
def test_an_installation_in_order_is_told_in_lines_with_status_0(installation):
    make_user(is_superuser=True)

    status, output = told()

    assert status == 0, output
    lines = output.splitlines()
    assert lines[-1] == "All is well."
    subjects = " ".join(output.split())
    for words in (
        "secret key has 51 characters",
        "flags.example.org",
        "memory of each process",
        "1 with 1 threads each",
        "all applied",
        "agrees with the database's",
        "allowed,",
        "notifications arrive",
        "visible within 0.5 seconds",
        "for TLS only",
    ):
        assert words in subjects


@pytest.mark.django_db
def test_programs_get_json(installation):
    status, output = told("--json")

    answer = json.loads(output)
    assert (status, answer["severity"]) == (1, "warning")  # nobody has made the first superuser
    assert {"subject": "migrations", "severity": "ok", "words": "all applied"} in answer["findings"]


def test_with_the_database_away_the_rest_is_told_and_no_secret_ever_is():
    away = f"postgres://kim:c4nary@127.0.0.1:{free_port()}/flags"
    secrets = {each.name: "c4nary" for each in env.declared if each.type == "secret" and "<" not in each.name}

    result = manage(
        "doctor",
        **secrets
        | {
            "DATABASE_URL": away,
            "REPLICA_DATABASE_URL_0": away,
            "SENTRY_SDK_DSN": "https://c4nary@127.0.0.1/1",
        },
        DJANGO_SETTINGS_MODULE="app.settings.production",
    )

    assert result.returncode == 2, result.stderr
    assert "database can't be asked: connection to server" in " ".join(result.stdout.split())
    assert "DJANGO_SECRET_KEY can be guessed" in result.stdout
    assert "freshness" in result.stdout
    assert "replica_1" in result.stdout
    assert "c4nary" not in result.stdout + result.stderr


def test_a_setting_that_cannot_be_read_is_status_2(tmp_path):
    here = {"DATA_DIR": str(tmp_path), "DATABASE_URL": "postgres://h/d"}
    result = manage("doctor", SENTRY_SDK_DSN="c4nary", **here)

    assert manage("doctor", PORT="eighty", **here).returncode == 2
    assert (result.returncode, result.stderr) == (
        2,
        "Burgee can't start: SENTRY_SDK_DSN is not a valid DSN.\n",
    )


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"SECRET_KEY": ""}, {"secret key": "ERROR"}),
        ({"SECRET_KEY": "c8f2a09b" * 5}, {"secret key": "WARNING"}),
        ({"ALLOWED_HOSTS": []}, {"allowed hosts": "ERROR"}),
        ({"ALLOWED_HOSTS": ["*"]}, {"allowed hosts": "WARNING"}),
        ({"DEBUG": True}, {"debug mode": "ERROR"}),
        (
            {"SECURE_SSL_REDIRECT": False, "SECURE_HSTS_SECONDS": 0},
            {"TLS redirect": "WARNING", "HSTS": "WARNING"},
        ),
        ({"SESSION_COOKIE_SECURE": False}, {"cookies": "WARNING"}),
        ({"FORWARDED_ALLOW_IPS": ["*"]}, {"proxies": "WARNING"}),
        ({"SNAPSHOT_DIR": "/dev/null/snapshots"}, {"snapshots": "WARNING"}),
        ({"FLAGS_MAX_AGE_SECONDS": 30}, {"flags in caches": "WARNING"}),
        ({"REQUIRE_AUTH_KEY": True, "AUTH_KEY": ""}, {"core.E001": "ERROR"}),
        ({"REFUSE_UNSAFE_SETTINGS": False, "SECURE_SSL_REDIRECT": False, "ALLOWED_HOSTS": ["*"]}, {}),
    ],
    ids=lambda value: " ".join(value),
)
def test_what_is_unsafe_in_settings_is_found(installation, changed, found):
    for name, value in changed.items():
        setattr(installation, name, value)

    assert bad(list(of_settings())) == found


def test_a_cache_that_does_not_answer_is_found(installation):
    redis = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"redis://:c4nary@127.0.0.1:{free_port()}/0",
    }
    installation.CACHES = {**installation.CACHES, "environments": redis}

    found = {each.subject: each for each in of_settings()}["cache environments"]

    assert (found.severity, found.words) == (Severity.WARNING, "Redis: doesn't answer; it is done without")


@pytest.mark.django_db
def test_what_is_wrong_with_a_database_is_found(installation, monkeypatch):
    assert bad(list(of_databases())) == {"superuser": "WARNING"}
    make_user(is_superuser=True)

    Job.objects.create(task="t", most_attempts=1, run_at=timezone.now() - timedelta(minutes=2))
    assert bad(list(of_databases())) == {"jobs": "WARNING"}
    Job.objects.all().delete()

    installation.GUNICORN_WORKERS = 1000
    assert bad(list(of_databases())) == {"connections": "ERROR"}
    installation.GUNICORN_WORKERS = 1

    now = time.time
    for ahead, severity in ((5, "WARNING"), (-90, "ERROR")):
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda ahead=ahead: now() + ahead)
            assert bad(list(of_databases())) == {"clock": severity}

    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    assert bad(list(of_databases())) == {"migrations": "ERROR"}


@pytest.mark.django_db
def test_a_database_that_falls_silent_while_notifications_are_tried_is_found(monkeypatch):
    hears = doctor._hears

    def lost(listener: BaseDatabaseWrapper, seconds: float) -> bool:
        listener.connection.close()
        return hears(listener, seconds)

    def silent(listener: BaseDatabaseWrapper, seconds: float) -> bool:
        with listener.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return True

    # Not all of `of_databases`, which would close the connection that the test's transaction is in.
    monkeypatch.setattr(doctor, "_ANSWER_SECONDS", 0.2)
    for faulty, fault in ((lost, InterfaceError), (silent, OperationalError)):
        monkeypatch.setattr(doctor, "_hears", faulty)
        with pytest.raises(fault):
            list(doctor._notifications(connection))


@pytest.mark.django_db
def test_a_replica_that_is_away_or_no_standby_is_found(installation, monkeypatch):
    def connect(self: BaseDatabaseWrapper) -> None:
        if self.connection is None:
            with self.wrap_database_errors:
                self.connect()

    # Tests may use no other database than those that are made before them.
    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", connect)
    here = connections["default"].settings_dict
    away = {**here, "HOST": "127.0.0.1", "PORT": free_port()}
    for alias, database in {"replica_1": here, "cross_region_replica_1": away}.items():
        monkeypatch.setitem(connections.databases, alias, {**database, "TEST": {}})
    make_user(is_superuser=True)

    found = bad(list(of_databases()))

    for alias in found:
        connections[alias].close()
        del connections[alias]
    assert found == {"replica_1": "WARNING", "cross_region_replica_1": "WARNING"}

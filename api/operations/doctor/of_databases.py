"""What databases say, within seconds each."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from core.masking import without_secrets
from core.postgres import cut_off_after
from environments.publishing import silent_triggers
from operations.doctor.findings import Finding, Severity, error, ok, warning, worst
from tasks.in_server import THREADS as THREADS_FOR_JOBS
from users.models import User

_ANSWER_SECONDS = 5.0
_NOTIFICATION_SECONDS = 1.0
_LAG_SECONDS = 1.0
_CLOCK_SECONDS, _WRONG_CLOCK_SECONDS = 1.0, 60.0
_LATE_JOB_SECONDS = 60
# Of each process of the server: the feed's two, two for batches of identities, two for counts, four for
# loading snapshots, one for health.
_OF_THE_LANE = 11
# The worker of jobs in it: its threads', one that looks for jobs and one that hears of them.
_OF_JOBS = THREADS_FOR_JOBS + 2

Look = Callable[[BaseDatabaseWrapper], Iterator[Finding]]


def of_databases() -> Iterator[Finding]:
    """Look at the databases of the settings, the main one first."""
    if connections["default"].vendor == "unknown":
        yield error("database", "none is named: set DATABASE_URL, or DJANGO_DB_NAME and its companions")
        return
    primary = _Primary()
    yield from _ask("default", "database", primary.position_and_version)
    if primary.answers:
        migrations = list(_ask("default", "migrations", _migrations))
        yield from migrations
        looks: dict[str, Look] = {"clock": _clock, "connections": _cap, "notifications": _notifications}
        if worst(migrations) is Severity.OK:  # or tables may be missing
            looks |= {"triggers": _triggers, "jobs": _jobs, "superuser": _superuser}
        for subject, look in looks.items():
            yield from _ask("default", subject, look)
    for alias in connections:
        if "replica" in alias:
            yield from _ask(alias, alias, primary.compared, is_critical=False)
        elif alias != "default":
            yield from _ask(alias, alias, _migrations)


def _ask(alias: str, subject: str, look: Look, *, is_critical: bool = True) -> Iterator[Finding]:
    connection = connections[alias]
    try:
        with cut_off_after(_ANSWER_SECONDS, connection):
            yield from list(look(connection))
    except (DatabaseError, InterfaceError, ImproperlyConfigured) as fault:
        connection.close()
        words = without_secrets(str(fault).strip().partition("\n")[0])
        yield (error if is_critical else warning)(subject, f"can't be asked: {words}")


class _Primary:
    """The main database, and where it stands."""

    answers = False
    _position = ""

    def position_and_version(self, connection: BaseDatabaseWrapper) -> Iterator[Finding]:
        version, is_standby = _row(
            connection, "SELECT current_setting('server_version'), pg_is_in_recovery()"
        )
        if is_standby:
            yield error("database", "is a standby: nothing can be written. DATABASE_URL names the primary.")
            return
        self.answers = True
        (self._position,) = _row(connection, "SELECT pg_current_wal_lsn()::text")
        yield ok("database", f"PostgreSQL {version.split()[0]}")

    def compared(self, connection: BaseDatabaseWrapper) -> Iterator[Finding]:
        """Tell how far behind a replica is: not at all, if it has what the primary had a moment ago."""
        alias = connection.alias
        if not _row(connection, "SELECT pg_is_in_recovery()")[0]:
            yield warning(alias, "is no standby: whatever it has is served")
            return
        if not self._position:
            yield ok(alias, "answers; the primary doesn't")
            return
        behind, seconds = _row(
            connection,
            """
            SELECT pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn())::bigint,
                   extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float
            """,
            [self._position],
        )
        if behind <= 0:
            yield ok(alias, "a standby, not behind")
        else:
            lag = f"{behind} bytes behind, {seconds or 0:.1f} seconds after the last change that it has"
            yield (warning if seconds is None or seconds > _LAG_SECONDS else ok)(alias, lag)


def _migrations(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    subject = "migrations" if connection.alias == "default" else f"migrations of {connection.alias}"
    if pending:
        yield error(
            subject, f"{len(pending)} aren't applied: manage.py migrate --database {connection.alias}"
        )
    else:
        yield ok(subject, "all applied")


def _triggers(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    if silent := silent_triggers():
        yield error(
            "triggers", f"{len(silent)} are missing or switched off, so that changes aren't published"
        )
    else:
        yield ok("triggers", "all stand: every change is published")


def _clock(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    before = time.time()
    (theirs,) = _row(connection, "SELECT extract(epoch FROM clock_timestamp())::float")
    after = time.time()
    # Theirs is of some moment in between.
    ahead = max(before - theirs, theirs - after, 0.0)
    words = f"{ahead:.1f} seconds apart from the database's" if ahead >= 0.1 else "agrees with the database's"
    severe = error if ahead > _WRONG_CLOCK_SECONDS else warning if ahead > _CLOCK_SECONDS else ok
    yield severe("clock", words)


def _cap(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Compare what processes may open with what the server, the database and the user may have."""
    allowed, used = _row(
        connection,
        """
        SELECT least(
            current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                - coalesce(current_setting('reserved_connections', true)::int, 0),
            (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
            (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
        ), (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
        """,
    )
    workers, threads = settings.GUNICORN_WORKERS, settings.GUNICORN_THREADS
    jobs = _OF_JOBS if settings.TASK_RUN_METHOD == "SEPARATE_THREAD" else 0
    wanted = workers * (threads + _OF_THE_LANE + jobs)
    each = wanted // workers if workers else 0
    words = f"{wanted} at most of this server ({workers} × {each}), {allowed} allowed, {used} open now"
    if wanted > allowed:
        yield error("connections", f"{words}: some will be refused. Fewer processes or threads, or a pooler.")
    elif wanted * 2 > allowed:
        yield warning("connections", f"{words}: a second server, or a new release beside it, has too few")
    else:
        yield ok("connections", words)


def _notifications(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """See whether one arrives. Behind a pooler they don't, and changes are found by asking."""
    listener, sender = connection.copy(), connection.copy()
    try:
        with cut_off_after(_ANSWER_SECONDS, listener), cut_off_after(_ANSWER_SECONDS, sender):
            with listener.cursor() as cursor:
                cursor.execute("LISTEN burgee_doctor")
            with sender.cursor() as cursor:
                cursor.execute("NOTIFY burgee_doctor")
            arrived = _hears(listener, _NOTIFICATION_SECONDS)
    finally:
        listener.close()
        sender.close()
    if arrived:
        yield ok("notifications", "arrive")
    else:
        yield warning("notifications", "don't arrive, as behind a pooler: changes are asked for every second")


def _hears(listener: BaseDatabaseWrapper, seconds: float) -> bool:
    raw = listener.connection
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with listener.wrap_database_errors:
            raw.poll()
        if raw.notifies:
            return True
        time.sleep(0.02)
    return False


def _jobs(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    waiting, oldest = _row(
        connection,
        """
        SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(run_at)), 0)::int FROM tasks_job
        WHERE state = 'waiting' AND run_at <= clock_timestamp()
        """,
    )
    if oldest > _LATE_JOB_SECONDS:
        words = f"{waiting} are due, one since {oldest} seconds: nothing seems to run them"
        yield warning("jobs", words)
    else:
        yield ok("jobs", f"{waiting} are due")


def _superuser(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    if User.objects.filter(is_superuser=True, is_active=True).exists():
        yield ok("superuser", "there is one")
    elif not User.objects.exists():
        words = "there is none: whoever is the first to open /api/v1/users/config/init/ becomes one"
        yield warning("superuser", words)
    else:
        yield warning("superuser", "there is none: manage.py createsuperuser")


def _row(connection: BaseDatabaseWrapper, sql: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return tuple(cursor.fetchone())

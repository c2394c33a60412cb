"""Copies of the tests' database server, made by its own programs: standbys, and what becomes of them."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg2
import pytest
from django.db import connections

from app import embedded_postgres
from app.embedded_postgres.keeper import Server
from sdk.tests.workers import eventually

# Where the server keeps its configuration elsewhere, as Debian's does, a copy comes without.
_CONFIGURATION = {
    "postgresql.conf": "",
    "pg_ident.conf": "",
    "pg_hba.conf": "local all all scram-sha-256\nlocal replication all scram-sha-256\n",
}


class Copy:
    """A server with the data of another. Whoever may not copy that one skips the test.

    Args:
        source: where the other one is: `host`, `port`, `user`, `password`, `dbname`.
        follows: whether it stays a standby of the other one.
    """

    def __init__(self, folder: Path, source: Mapping[str, Any], *, follows: bool) -> None:
        folder.mkdir(exist_ok=True)
        binaries = _programs()
        self._source = source
        self._server = Server(binaries, folder, embedded_postgres.socket_folder(folder))
        self._server.data.mkdir(mode=0o700)
        copied = subprocess.run(
            [
                binaries / "pg_basebackup",
                f"--pgdata={self._server.data}",
                *(["--write-recovery-conf"] if follows else []),
                "--checkpoint=fast",
                "--no-sync",
                f"--host={source['host']}",
                f"--port={source.get('port') or 5432}",
                f"--username={source['user']}",
            ],
            env={**os.environ, "PGPASSWORD": source.get("password", "")},
            capture_output=True,
            text=True,
            check=False,
        )
        if copied.returncode:
            pytest.skip(f"the tests' database can't be copied: {copied.stderr}")
        for socket in self._server.data.glob(".s.PGSQL.*"):
            socket.unlink()  # the embedded server's own stands with its data
        for name, content in _CONFIGURATION.items():
            if not (self._server.data / name).exists():
                (self._server.data / name).write_text(content)
        if owner := self._server.owner:
            for path in (self._server.data, *self._server.data.rglob("*")):
                shutil.chown(path, owner.pw_uid, owner.pw_gid)
        self._server.make()
        self._server.start(["port=5432", "fsync=off", "shared_buffers=16MB"])

    @property
    def address(self) -> dict[str, Any]:
        """Where it is, for the driver."""
        return {**self._source, "host": str(self._server.socket_folder), "port": 5432}

    def run(self, sql: str) -> Any:
        """Run a statement over a connection of its own, and return the first value."""
        connection = psycopg2.connect(**self.address)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchone()[0] if cursor.description else None
        finally:
            connection.close()

    def kill(self) -> None:
        """End it as a machine ends that loses its power."""
        assert self._server.process
        postmaster = psutil.Process(self._server.process.pid)
        for each in [postmaster, *postmaster.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGKILL)
        self._server.process.wait()

    def promote(self) -> None:
        """Make a standby a server of its own, which writes."""
        assert self.run("SELECT pg_promote()")

    def stop(self) -> None:
        self._server.stop()
        shutil.rmtree(self._server.data, ignore_errors=True)


class Standby(Copy):
    """A server that follows the tests' own.

    Attributes:
        settings: Django's.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, server_of_tests(), follows=True)
        self.settings: dict[str, Any] = {
            **connections.databases["default"],
            "HOST": self.address["host"],
            "PORT": "",
            "OPTIONS": {},
        }

    def catch_up(self) -> None:
        """Wait until it has all that the primary has by now."""
        with connections["default"].cursor() as cursor:
            # What has been written last may otherwise stay in memory until somebody commits.
            cursor.execute("SELECT pg_switch_wal()")
            (reached,) = cursor.fetchone()
        eventually(lambda: self.run(f"SELECT pg_last_wal_replay_lsn() >= '{reached}'"))

    def fall_behind(self) -> None:
        self.run("SELECT pg_wal_replay_pause()::text")
        eventually(lambda: self.run("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def go_on(self) -> None:
        self.run("SELECT pg_wal_replay_resume()::text")

    def be_late_by(self, seconds: int) -> None:
        """Replay each commit only so long after it was made."""
        self.run(f"ALTER SYSTEM SET recovery_min_apply_delay = '{seconds}s'")
        self.run("SELECT pg_reload_conf()")
        eventually(lambda: self.run("SHOW recovery_min_apply_delay") == (f"{seconds}s" if seconds else "0"))


def server_of_tests() -> dict[str, Any]:
    """Return where the tests' own server is, and their database in it, for the driver."""
    parameters = connections["default"].get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    return {"port": 5432, "password": ""} | {name: parameters[name] for name in names if name in parameters}


def url_of_tests(name: str | None = None) -> str:
    """Return the URL of a database on the tests' server: theirs, or another one."""
    server = server_of_tests()
    credentials = f"{quote(server['user'])}:{quote(server['password'])}"
    host, port = quote(server["host"], safe=""), server["port"]
    return f"postgres://{credentials}@/{quote(name or server['dbname'])}?host={host}&port={port}"


def url_of(*copies: Copy) -> str:
    """Return a URL that names several servers."""
    address = copies[0].address
    hosts = "%2C".join(quote(each.address["host"], safe="") for each in copies)
    return (
        f"postgres://{quote(address['user'])}:{quote(address['password'])}@/{quote(address['dbname'])}"
        f"?host={hosts}"
    )


def _programs() -> Path:
    """Return the programs of the version that the tests' server has: no other reads its data."""
    with connections["default"].temporary_connection() as cursor:
        cursor.execute("SHOW server_version_num")
        version = int(cursor.fetchone()[0]) // 10_000
    folders = [embedded_postgres.binaries(), Path(f"/usr/lib/postgresql/{version}/bin")]
    for folder in folders:
        shown = _version_of(folder)
        if shown.startswith(f"{version}."):
            return folder
    pytest.skip(f"the programs of PostgreSQL {version} aren't installed here")


def _version_of(folder: Path) -> str:
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said.stdout.split()[2]

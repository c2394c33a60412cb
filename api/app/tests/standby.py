"""A streaming standby of the tests' database, made by the embedded server's own programs."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from app import embedded_postgres
from app.embedded_postgres.keeper import Server
from sdk.tests.workers import eventually


class Standby:
    """A server that follows the tests' own. Whoever may not copy that one skips the test."""

    def __init__(self, folder: Path) -> None:
        primary = connections["default"].get_connection_params()
        self._server = Server(embedded_postgres.binaries(), folder, embedded_postgres.socket_folder(folder))
        self._server.data.mkdir(mode=0o700)
        copied = subprocess.run(
            [
                embedded_postgres.binaries() / "pg_basebackup",
                f"--pgdata={self._server.data}",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
                f"--host={primary['host']}",
                f"--port={primary.get('port', 5432)}",
                f"--username={primary['user']}",
            ],
            env={**os.environ, "PGPASSWORD": primary["password"]},
            capture_output=True,
            text=True,
            check=False,
        )
        if copied.returncode:
            pytest.skip(f"the tests' database can't be copied: {copied.stderr}")
        for socket in self._server.data.glob(".s.PGSQL.*"):
            socket.unlink()  # the embedded server's own stands with its data
        if owner := self._server.owner:
            for path in (self._server.data, *self._server.data.rglob("*")):
                shutil.chown(path, owner.pw_uid, owner.pw_gid)
        self._server.make()
        self._server.start(["fsync=off"])
        self.settings: dict[str, Any] = {
            **connections.databases["default"],
            "HOST": str(self._server.socket_folder),
            "PORT": "",
            "OPTIONS": {},
        }

    def run(self, sql: str) -> Any:
        with connections["replica_1"].cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]

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

    def stop(self) -> None:
        connections["replica_1"].close()
        self._server.stop()
        shutil.rmtree(self._server.data, ignore_errors=True)

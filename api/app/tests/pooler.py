"""A pgbouncer before the tests' database, with few connections for many clients."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from app.tests.commands import free_port
from app.tests.standby import server_of_tests
from core.tests.programs import program
from sdk.tests.workers import eventually

# So few that everybody gets what others have used.
CONNECTIONS = 3

_CONFIGURATION = """
[databases]
* = host={host} port={port} user={user} {credentials}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {connections}
max_client_conn = 200
ignore_startup_parameters = options
"""
# It refuses root; nobody is given what it takes to pass folders that are root's, as the embedded server is.
_AS_NOBODY = [
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"),
]


class Pooler:
    """A pgbouncer that runs. `settings` is where it is, for Django."""

    def __init__(self, port: int) -> None:
        self.settings: dict[str, Any] = {"HOST": "127.0.0.1", "PORT": port}

    def shown_everywhere(self, name: str) -> set[str]:
        """Return which values a parameter has in the connections that the pooler keeps."""
        address = {**server_of_tests(), "host": self.settings["HOST"], "port": self.settings["PORT"]}
        clients = [psycopg2.connect(**address) for _ in range(CONNECTIONS)]
        shown = set()
        for client in clients:  # each keeps its connection, for its transaction isn't over
            cursor = client.cursor()
            cursor.execute("SELECT current_setting(%s, true)", [name])
            shown.add(cursor.fetchone()[0])
        for client in clients:
            client.rollback()  # or the pooler would close the connection
            client.close()
        return shown


@contextmanager
def pooler(folder: Path, *, mode: str = "transaction") -> Iterator[Pooler]:
    """Run pgbouncer inside the block; skip the test where it isn't installed.

    Args:
        mode: for how long a client keeps a connection: `transaction` or `session`.
    """
    path = program("pgbouncer")
    source = server_of_tests()
    port = free_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        _CONFIGURATION.format(
            host=source["host"],
            port=source["port"],
            user=source["user"],
            credentials=f"password='{source['password']}'" if source["password"] else "",
            listen_port=port,
            mode=mode,
            connections=CONNECTIONS,
        )
    )
    with (folder / "log").open("wb") as log:
        command = [*(_AS_NOBODY if os.geteuid() == 0 else []), path, str(configuration)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        eventually(lambda: _listens(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield Pooler(port)
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

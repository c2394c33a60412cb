"""A PostgreSQL server of a test's own, which may be killed, frozen or cut off."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from app import embedded_postgres
from app.embedded_postgres.keeper import Server
from app.settings.secret_key import kept_secret_key

_SOCKET = ".s.PGSQL.5432"


class OwnDatabase:
    """A server, and a proxy before it that clients are sent to.

    Attributes:
        url: of the database, by way of the proxy.
    """

    def __init__(self, folder: Path) -> None:
        kept_secret_key(folder / "password")
        self._server = Server(embedded_postgres.binaries(), folder, embedded_postgres.socket_folder(folder))
        self._server.make()
        self._server.start(["fsync=off"])
        self._proxy = Proxy(folder / "proxy", self._server.socket_folder)
        self._direct_url = embedded_postgres.url(folder)
        self.url = self._direct_url.replace(
            self._direct_url.partition("host=")[2],
            str(self._proxy.folder).replace("/", "%2F"),
        )

    def stop(self) -> None:
        self._proxy.close()
        self._server.stop()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds, past the proxy."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    @contextmanager
    def locked(self, table: str) -> Iterator[Callable[[], bool]]:
        """Let nobody write to a table inside the block; what is given says whether somebody waits to."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield lambda: bool(self.rows("SELECT 1 FROM pg_locks WHERE NOT granted"))

    def _connect(self) -> Any:
        return psycopg2.connect(self._direct_url)

    @contextmanager
    def killed(self) -> Iterator[None]:
        """As by a machine that is switched off and, at the end of the block, on again."""
        self._tell(signal.SIGKILL)
        assert self._server.process
        self._server.process.wait()
        try:
            yield
        finally:
            self._server.start(["fsync=off"])

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Connections stand, and new ones may be opened, but nothing is answered."""
        self._tell(signal.SIGSTOP)
        try:
            yield
        finally:
            self._tell(signal.SIGCONT)

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Whatever is sent is lost on the way, and nobody says so."""
        with self._proxy.swallowing():
            yield

    def _tell(self, number: signal.Signals) -> None:
        assert self._server.process
        process = psutil.Process(self._server.process.pid)
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                os.kill(each.pid, number)


class Proxy:
    """Passes on what comes to a socket, until it swallows it."""

    def __init__(self, folder: Path, server_folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._server = str(server_folder / _SOCKET)
        self._passes = True
        self._open: set[socket.socket] = set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / _SOCKET))
        self._listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self._drop_all()

    @contextmanager
    def swallowing(self) -> Iterator[None]:
        self._passes = False
        try:
            yield
        finally:
            self._passes = True
            self._drop_all()  # as a network does with connections that have missed something

    def _drop_all(self) -> None:
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(self._server)
                except OSError:
                    client.close()
                    continue
                for source, target in ((client, server), (server, client)):
                    self._open.add(source)
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self._passes:
                    target.sendall(data)
        self._open.discard(source)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        source.close()

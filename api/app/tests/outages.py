"""A PostgreSQL of a test's own, which can be killed, frozen, and cut off without a word."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from django.conf import settings

from app import embedded_postgres
from app.embedded_postgres.keeper import Server
from app.settings.secret_key import kept_secret_key

_PIECE_BYTES = 65536


class Database:
    """A server with the product's tables. Clients reach it through a line that can be cut.

    Attributes:
        url: what clients are given.
    """

    def __init__(self, server: Server, password: str, line: "Line") -> None:
        self._server = server
        self._password = password
        self._line = line
        host, port = line.address
        self.url = f"postgres://{embedded_postgres.USER}:{password}@{host}:{port}/{embedded_postgres.NAME}"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds, by a connection that no outage but the server's touches."""
        connection = psycopg2.connect(
            user=embedded_postgres.USER,
            password=self._password,
            dbname=embedded_postgres.NAME,
            host=str(self._server.socket_folder),
        )
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        finally:
            connection.close()

    @contextmanager
    def killed(self) -> Iterator[None]:
        process = self._server.process
        assert process
        process.send_signal(signal.SIGQUIT)  # an immediate stop: what was under way is lost
        process.wait()
        try:
            yield
        finally:
            self._server.start([])

    @contextmanager
    def frozen(self) -> Iterator[None]:
        assert self._server.process
        postmaster = psutil.Process(self._server.process.pid)
        stopped: list[psutil.Process] = [postmaster]
        postmaster.suspend()  # first, so that it has no further children
        for child in postmaster.children(recursive=True):
            child.suspend()
            stopped.append(child)
        try:
            yield
        finally:
            for each in stopped:
                with suppress(psutil.NoSuchProcess):
                    each.resume()

    @contextmanager
    def black_holed(self) -> Iterator[None]:
        self._line.is_silent = True
        try:
            yield
        finally:
            self._line.heal()


class Line:
    """Passes bytes on between clients and a unix socket, until it is silent: then nobody hears anything."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self.is_silent = False
        self._ends = False
        self._peers: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def heal(self) -> None:
        """Pass on again. What was connected is not: its bytes are gone."""
        self._drops = True
        self.is_silent = False

    def close(self) -> None:
        self._ends = True
        self._thread.join()
        self._listener.close()
        self._drop_all()

    _drops = False

    def _run(self) -> None:
        while not self._ends:
            ready = self._selector.select(0.05)
            if self.is_silent:
                threading.Event().wait(0.02)  # what comes stays in the kernel's buffers, unanswered
                continue
            if self._drops:
                self._drops = False
                self._drop_all()
                continue
            for key, _ in ready:
                end = key.fileobj
                assert isinstance(end, socket.socket)
                if end is self._listener:
                    self._accept()
                elif end in self._peers:
                    self._pass_on(end)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self._target))
        except OSError:
            server.close()
            client.close()
            return
        for end, other in ((client, server), (server, client)):
            self._peers[end] = other
            self._selector.register(end, selectors.EVENT_READ)

    def _pass_on(self, end: socket.socket) -> None:
        try:
            data = end.recv(_PIECE_BYTES)
            if data:
                self._peers[end].sendall(data)
                return
        except OSError:
            pass
        self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        for each in (end, self._peers[end]):
            self._selector.unregister(each)
            del self._peers[each]
            each.close()

    def _drop_all(self) -> None:
        while self._peers:
            self._drop(next(iter(self._peers)))


@contextmanager
def own_database() -> Iterator[Database]:
    """Run a server with the product's tables inside the block."""
    with tempfile.TemporaryDirectory(prefix="burgee-outage-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        password = kept_secret_key(folder / "password")
        server = Server(embedded_postgres.binaries(), folder, embedded_postgres.socket_folder(folder))
        server.make()
        server.start(["fsync=off"])
        line = Line(server.socket_folder / ".s.PGSQL.5432")
        try:
            database = Database(server, password, line)
            manage(database, "migrate", "--verbosity=0")
            yield database
        finally:
            line.close()
            server.stop()


def manage(database: Database, *arguments: str) -> str:
    """Run a management command on a database, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.API_DIR,
        env={**os.environ, "DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

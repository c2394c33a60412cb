"""A worker with its streams, behind a real socket, and clients that read what comes to the byte."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from core.asgi.bodies import BodyReader
from core.asgi.django_door import DjangoDoor
from core.asgi.front import Front
from core.asgi.lifespan import Lifespan
from core.asgi.protocol import BoundedProtocol
from core.asgi.rehearsal import Rehearsals
from core.tests.asgi.servers import Address, served
from core.tests.asgi.wire import Answer, Connection, connected, request
from sdk.lane.routes import sdk_lane
from sdk.live import LiveSnapshots
from sdk.live_identities import LiveIdentities
from sdk.store import SnapshotStore
from sdk.streams.hub import Streams


def stream_path(key: str) -> str:
    return f"/sse/environments/{key}/stream"


class StreamingWorker:
    """What a worker process has, with a store of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        most: int | None = None,
        protocol: type[BoundedProtocol] = BoundedProtocol,
        **options: Any,
    ) -> None:
        self._protocol = protocol
        self.store = SnapshotStore(**options)
        self.live = LiveSnapshots(self.store, folder=folder)
        self.streams = Streams(self.live, most=most)
        self.address: Address = ("", 0)
        self.leave: Callable[[], None] = lambda: None  # end the server before its block does

    @contextmanager
    def serving(self) -> Iterator[None]:
        django, identities = WSGIHandler(), LiveIdentities()
        door = DjangoDoor(django, threads=1, max_waiting=10)
        front = Front(
            lifespan=Lifespan([self.live.running, identities.running, self.streams.running]),
            lane=sdk_lane(self.live, identities, self.streams, Rehearsals(django)),
            django=door,
            bodies=BodyReader(lambda path: 2**20),
            trusted_proxies=["*"],
        )
        with ExitStack() as running:
            self.address = running.enter_context(served(front, self._protocol))
            running.callback(lambda: door.executor.submit(connections.close_all).result())
            self.leave = running.close
            yield

    @contextmanager
    def reading(
        self, path: str, *headers: tuple[str, str], receive_bytes: int | None = None
    ) -> "Iterator[Reader]":
        with connected(self.address, receive_bytes=receive_bytes) as connection:
            connection.send(request(target=path, headers=[("Host", "localhost"), *headers]))
            yield Reader(connection)

    def ask(self, path: str, *headers: tuple[str, str], method: str = "GET") -> Answer:
        with connected(self.address) as connection:
            connection.send(request(method, path, [("Host", "localhost"), *headers]))
            return connection.read_answer(has_body=method != "HEAD")


class Reader:
    """Reads a stream, one chunk after the other, as the server has written it."""

    def __init__(self, connection: Connection) -> None:
        self._socket: socket.socket = connection.sock
        self._bytes = b""
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        self.status = int(head[0].split()[1])
        self.headers = dict(line.split(": ", 1) for line in head[1:] if line)

    def chunk(self) -> bytes:
        """Return the next chunk; b"": the stream has ended.

        Raises:
            TimeoutError: nothing comes.
            ConnectionError: the connection is cut.
        """
        size = int(self._until(b"\r\n"), 16)
        while len(self._bytes) < size + 2:
            self._receive()
        piece, self._bytes = self._bytes[:size], self._bytes[size + 2 :]
        return piece

    def event(self) -> bytes:
        """Return the next chunk that isn't a comment."""
        while (piece := self.chunk()).startswith(b":"):
            pass
        return piece

    def is_silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing but comments comes for so long."""
        self._socket.settimeout(seconds)
        try:
            return not self.event()
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(20.0)

    def _until(self, end: bytes) -> bytes:
        while end not in self._bytes:
            self._receive()
        found, _, self._bytes = self._bytes.partition(end)
        return found

    def _receive(self) -> None:
        piece = self._socket.recv(65536)
        if not piece:
            raise ConnectionResetError
        self._bytes += piece


Serve = Callable[..., StreamingWorker]

"""Asking each worker of a server by itself.

Workers share a port, and which one takes a connection is chance; but a connection that is kept alive stays
with its worker. So connections are opened until every worker has one.
"""

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bench.errors import CaseFailed
from bench.servers import Server

_ATTEMPTS = 30
_TAKEN_WITHIN_SECONDS = 0.05
_VISIBLE_WITHIN_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.0005
# Asked without a pause, the workers would be kept busy by that alone.
_POLL_SECONDS = 0.001
_LOADED_SOON_SECONDS = 0.5
_REVISION = "X-Burgee-Revision"
_FLAGS = "/api/v1/flags/"


@contextmanager
def one_connection_each(server: Server) -> Iterator[list[http.client.HTTPConnection]]:
    """Give one kept-alive connection for each worker, in no order. They are closed when idle for long.

    Raises:
        CaseFailed: a worker takes none.
    """
    with ExitStack() as opened:
        for _ in range(_ATTEMPTS):
            connections = [
                http.client.HTTPConnection("127.0.0.1", server.port, timeout=30) for _ in range(16)
            ]
            for connection in connections:
                opened.callback(connection.close)
                connection.connect()
            time.sleep(_TAKEN_WITHIN_SECONDS)
            by_worker = _by_worker(server, connections)
            if len(by_worker) == len(server.workers):
                for connection in connections:
                    if connection not in by_worker.values():
                        connection.close()
                yield list(by_worker.values())
                return
    raise CaseFailed("a worker takes no connection")


def _by_worker(
    server: Server, connections: Sequence[http.client.HTTPConnection]
) -> dict[int, http.client.HTTPConnection]:
    """Return which of the connections is one to which worker."""
    by_port = {connection.sock.getsockname()[1]: connection for connection in connections}
    return {
        worker.pid: by_port[each.raddr.port]
        for worker in server.workers
        for each in worker.net_connections("tcp4")
        if each.raddr and each.raddr.port in by_port
    }


class Watcher:
    """Polls the flags of an environment through one worker, every millisecond, and notes new revisions.

    Attributes:
        seen: each revision that was new, with the moment its answer was there, in `time.monotonic`.
        polls: how often it has asked.
        failure: what went wrong, if anything did.
    """

    def __init__(self, connection: http.client.HTTPConnection, key: str) -> None:
        self.seen: list[tuple[int, float]] = []
        self.polls = 0
        self.failure = ""
        self._connection = connection
        self._headers = {"X-Environment-Key": key}
        self._is_watching = True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def seen_at(self, revision: int) -> float | None:
        """Return when this revision or a later one was first answered; None: not yet."""
        if not self.seen or self.seen[-1][0] < revision:
            return None
        return next(at for number, at in self.seen if number >= revision)

    def stop(self) -> None:
        self._is_watching = False
        self._thread.join()

    def _watch(self) -> None:
        try:
            while self._is_watching:
                self._poll()
                time.sleep(_POLL_SECONDS)
        except CaseFailed as error:
            self.failure = str(error)
        except (OSError, http.client.HTTPException) as error:
            self.failure = f"{type(error).__name__}: {error}"

    def _poll(self) -> None:
        self._connection.request("GET", _FLAGS, headers=self._headers)
        response = self._connection.getresponse()
        response.read()
        at = time.monotonic()
        self.polls += 1
        if response.status == 503 and not self.seen:  # a slow machine loads it for longer than one may wait
            time.sleep(_LOADED_SOON_SECONDS)
            return
        if response.status not in {200, 304}:
            raise CaseFailed(f"{_FLAGS} answers {response.status}")
        self._headers["If-None-Match"] = response.headers["ETag"]
        revision = int(response.headers[_REVISION])
        newest = self.seen[-1][0] if self.seen else 0
        if revision < newest:
            raise CaseFailed(f"revision {revision} was answered after {newest}")
        if revision > newest:
            self.seen.append((revision, at))


@contextmanager
def watched(server: Server, key: str) -> Iterator[list[Watcher]]:
    """Watch an environment through every worker inside the block."""
    with one_connection_each(server) as connections:
        watchers = [Watcher(connection, key) for connection in connections]
        try:
            yield watchers
        finally:
            for watcher in watchers:
                watcher.stop()


def visible_after(watchers: Sequence[Watcher], revision: int, since: float) -> float:
    """Wait until every worker has answered a revision, and return how long after `since` the last one did.

    Raises:
        CaseFailed: one of them doesn't, or has gone back.
    """
    deadline = time.monotonic() + _VISIBLE_WITHIN_SECONDS
    while True:
        moments = [watcher.seen_at(revision) for watcher in watchers]
        if failures := [watcher.failure for watcher in watchers if watcher.failure]:
            raise CaseFailed(failures[0])
        if None not in moments:
            # One who was asked before the writer heard of its commit has seen it at once.
            return max(0.0, *(moment - since for moment in moments if moment is not None))
        if time.monotonic() > deadline:
            raise CaseFailed(f"revision {revision} isn't visible after {_VISIBLE_WITHIN_SECONDS:g} s")
        time.sleep(_LOOK_AGAIN_SECONDS)

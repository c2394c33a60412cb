"""Event streams that nothing happens on, as many as fit, on one worker; then one change for all of them."""

import asyncio
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from tempfile import mkdtemp

from bench import servers
from bench.errors import CaseFailed, CaseSkipped
from bench.figures import Result, Target
from bench.rig import Rig
from environments.models import Environment
from environments.publishing import publish

_STREAMS = 10_000
_SPARE_FILES = 200
_AT_A_TIME = 100
_PATIENCE_SECONDS = 60.0


def measure(rig: Rig) -> Iterator[Result]:
    streams = min(_STREAMS, _most_files() - _SPARE_FILES)
    place = rig.world.hundred
    environment = {**rig.environment, "SNAPSHOT_DIR": mkdtemp(dir=rig.folder)}
    log = rig.logs / "streams.log"
    with servers.burgee(environment, key=place.key, log=log, workers=1) as server:
        path = f"/sse/environments/{place.key}/stream"
        found = asyncio.run(_listen(server, path, place.id, streams))
    note = f"resident, with all that it shares with the master; {found.memory_before:.0f} MB without streams"
    target = Target(200) if streams == _STREAMS else None
    yield Result(f"memory of a worker with {streams:,} idle streams", found.memory, "MB", target, note=note)
    yield Result(f"a change told to {streams:,} streams, the last", found.told_ms, "ms")


@dataclass(frozen=True, slots=True)
class _Found:
    memory_before: float
    memory: float
    told_ms: float


@dataclass
class _Crowd:
    """What all listeners of a run have in common."""

    opened: int = 0
    lost: int = 0
    told: int = 0
    refusal: str = ""
    everyone_told: asyncio.Event = field(default_factory=asyncio.Event)


class _Listener(asyncio.Protocol):
    """One stream. It counts itself when the answer begins, when it is told, and when it is lost."""

    def __init__(self, request: bytes, crowd: _Crowd) -> None:
        self._request = request
        self._crowd = crowd
        self._head = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checker
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            status = self._head.split(b"\r\n", 1)[0].decode("latin-1")
            if " 200 " not in f"{status} ":
                self._crowd.refusal = status
            self._crowd.opened += 1
            self.opened.set_result(None)
        elif b"event: environment_updated" in data:
            self._crowd.told += 1
            if self._crowd.told == self._crowd.opened:
                self._crowd.everyone_told.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.lost += 1
        if not self.opened.done():
            self.opened.set_exception(CaseFailed(f"a stream was lost before it began: {error or 'closed'}"))

    def close(self) -> None:
        self._transport.abort()


async def _listen(server: servers.Server, path: str, environment_id: int, streams: int) -> _Found:
    """Open the streams, see what they take, and change the environment once."""
    memory_before = _memory(server)
    crowd = _Crowd()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    listeners: list[_Listener] = []

    async def open_one() -> None:
        _, listener = await loop.create_connection(
            lambda: _Listener(request, crowd), "127.0.0.1", server.port
        )
        listeners.append(listener)
        await asyncio.wait_for(listener.opened, _PATIENCE_SECONDS)

    try:
        await open_one()
        if crowd.refusal:
            raise CaseSkipped(f"{path} answers {crowd.refusal}")
        while len(listeners) < streams:
            await asyncio.gather(*(open_one() for _ in range(min(_AT_A_TIME, streams - len(listeners)))))
        await asyncio.sleep(1)
        memory = _memory(server)
        await asyncio.to_thread(_change, environment_id)
        changed_at = time.monotonic()
        try:
            await asyncio.wait_for(crowd.everyone_told.wait(), _PATIENCE_SECONDS)
        except TimeoutError:
            raise CaseFailed(f"{crowd.told:,} of {streams:,} streams were told; {crowd.lost} lost") from None
        told_ms = (time.monotonic() - changed_at) * 1000
        if crowd.lost:
            raise CaseFailed(f"{crowd.lost:,} of {streams:,} streams were lost")
        return _Found(memory_before, memory, told_ms)
    finally:
        for listener in listeners:
            listener.close()


def _change(environment_id: int) -> None:
    publish([Environment.objects.get(pk=environment_id)])


def _memory(server: servers.Server) -> float:
    return sum(float(worker.memory_info().rss) for worker in server.workers) / 1e6


def _most_files() -> int:
    """Let this process open as many files as it may, and return how many that is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return _STREAMS + _SPARE_FILES if most == resource.RLIM_INFINITY else most

"""HTTP connections that can't be held open, or filled, by a client that doesn't play along.

uvicorn's own protocol reads headers without a limit and waits for them without a deadline, before any ASGI
code runs. This one bounds both, and closes connections whose body or reading stalls.

Deadlines are numbers, looked at by `sweep` twice a second, and not timers: a timer for each request would
cost more than all the other checks together.
"""

import asyncio
import json
import select
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import inf
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import Server, ServerState

from core.asgi import departure
from core.asgi.streamed import STREAMED_BODY, StreamedBody

SWEEP_SECONDS = 0.5
# A connection that was accepted is made in the loop's next turns.
_LATECOMER_SECONDS = 0.05
# Under load there is always one more that waits. This bounds how long the server looks after them.
_MOST_ACCEPTING_TURNS = 1000

# In a scope's extensions: a `WholeAnswer`, where the connection takes one.
WHOLE_ANSWER = "burgee.whole_answer"


@dataclass(frozen=True)
class Limits:
    """What a client may take. Deadlines are kept within `SWEEP_SECONDS`."""

    head_bytes: int = 16 * 1024  # request line and headers
    first_byte_seconds: float = 5.0
    head_seconds: float = 10.0
    # Over this long a client must send or take `bytes_per_second` on average. The slowest phones do ten times
    # as much; what is slower only holds memory.
    stall_seconds: float = 10.0
    bytes_per_second: int = 1024
    # Nobody wants the rest of a body that has been refused. It is read on a little, because a client that is
    # cut off while sending doesn't see the answer.
    unwanted_body_seconds: float = 5.0
    # When the process is about to end, a connection without a request gets this long to bring the one that
    # may be on its way.
    goodbye_seconds: float = 0.5

    @property
    def stall_bytes(self) -> float:
        return self.stall_seconds * self.bytes_per_second


# What `due` is until the sweep has put a time in its place, so that requests need not look at the clock; and
# what it is while the client owes us nothing.
_OWES, _OWES_NOTHING = 0.0, inf


class _NoHeaders:
    """Where the parser puts trailers: they are nobody's headers."""

    @staticmethod
    def append(header: tuple[bytes, bytes]) -> None:
        """Forget it."""


_NO_HEADERS: Any = _NoHeaders()


class WholeAnswer:
    """Sends an answer that is there as bytes, where checking and joining its headers is half of the work."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def __call__(self, status: int, head: bytes, body: bytes) -> bool:
        """Send, unless the client is slow or gone: then return False, and `send` does what is to be done.

        Args:
            head: from the status line to the last header, which tells the length of `body`.
        """
        cycle = self._cycle
        if cycle.flow.write_paused or cycle.disconnected or cycle.response_started:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        lines = [b"%b: %b\r\n" % header for header in cycle.default_headers]
        if not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        cycle.transport.writelines((head, *lines, b"\r\n", body))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        # They have the cycle, and the cycle has them: all would wait for the collector.
        del cycle.scope["extensions"]
        return True


def head_of(status: int, *lines: bytes) -> bytes:
    """Return what a `WholeAnswer` takes, from `lines_of` headers."""
    return b"".join((STATUS_LINE[status], *lines))


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


class BoundedProtocol(HttpToolsProtocol):
    """A connection with limits: 431 for a large head, 400 for what isn't HTTP, closed when slow.

    A subclass sets `limits`.
    """

    limits = Limits()

    # What every request writes. uvicorn's protocol has nearly as many attributes as instances may have before
    # Python stores each one's apart, which takes longer than the rest of what is done here.
    __slots__ = ("_chunk_bytes", "_head_bytes", "_in_body", "due")

    # What few connections write
    reader_due = inf  # when the client must have taken some of what we sent
    _unread = 0  # bytes not taken when `reader_due` was set
    _body_bytes = 0  # since `due` was set
    _idle_bytes = 0  # since a byte of body came: chunk extensions and trailers
    _has_offer = False  # the head asks for another protocol
    _is_late = False  # in a head that didn't come at once
    _refusal: bytes | None = None  # the answer to what could not be read, and the last one
    is_leaving = False  # it was told that the process ends

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        HttpToolsProtocol.__init__(self, config, server_state, app_state, _loop)
        self.due = _OWES  # when the client must have sent what it owes
        self._chunk_bytes = 0  # of the latest read
        self._head_bytes = 0  # of the reads since the current head began
        self._in_body = False

    # What the transport reports

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        self._chunk_bytes = len(data)
        self._head_bytes += len(data)
        body_bytes = self._body_bytes
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._go_on(memoryview(data)[upgrade.args[0] :])
        except HttpParserError:
            self._refuse(400, "This is not a valid HTTP request.")
        if self._in_body:
            self._look_at_body(body_bytes)
        elif self._is_in_head():
            self._look_at_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader(self.loop.time())

    def resume_writing(self) -> None:
        super().resume_writing()
        self.reader_due = inf

    # What the parser reports. uvicorn's methods are called by their class: `super()` costs as much as they.

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            self._has_offer = True
            return
        # Adding up is only worth it where a read was large, or the head came in many.
        most = self.limits.head_bytes
        if (self._head_bytes > most or self._chunk_bytes > most) and self._is_head_large():
            self._refuse_head()
            raise HttpParserError  # to read no further
        HttpToolsProtocol.on_headers_complete(self)
        extensions: dict[str, Any] = {
            WHOLE_ANSWER: WholeAnswer(self.cycle),
            STREAMED_BODY: StreamedBody(self.cycle),
        }
        self.scope["extensions"] = extensions
        self.headers = _NO_HEADERS
        self._in_body = True
        if self._is_late:
            self._is_late = False
        self.due = _OWES_NOTHING
        if self.is_leaving:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        HttpToolsProtocol.on_body(self, body)

    def on_message_complete(self) -> None:
        if self._has_offer:
            return
        HttpToolsProtocol.on_message_complete(self)
        self._in_body = False
        self._head_bytes = 0
        self.due = _OWES if self.cycle.response_complete else _OWES_NOTHING

    # What the answer's sender reports

    def on_response_complete(self) -> None:
        """As uvicorn's own, without a timer for each answer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self.due = _OWES
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal is not None:
            self._close(self._refusal)
        elif self._in_body and self.expect_100_continue:
            self._close()  # the client may never send what it announced
        elif not self._is_in_head():
            self.due = _OWES

    def shutdown(self) -> None:
        """End after the requests at hand, or after the one that may be on its way."""
        self.is_leaving = True
        if self._is_answering():
            self.cycle.keep_alive = False
        else:
            self.due = self.loop.time() + self.limits.goodbye_seconds

    # Deadlines

    def check(self, now: float) -> None:
        """Close the connection if its client is late."""
        if self.due == _OWES:
            self.due = now + self._patience()
            if self.transport.is_closing():
                self._watch_reader(now)
        elif self.due <= now:
            self._check_sender(now)
        if self.reader_due <= now:
            self._check_reader(now)

    def _patience(self) -> float:
        """Return how many seconds the client has for what it owes."""
        if self.transport.is_closing():
            return inf
        if self._in_body:
            wanted = self._is_answering()
            return self.limits.stall_seconds if wanted else self.limits.unwanted_body_seconds
        if self._is_in_head():
            return self.limits.head_seconds
        if self.cycle is None:
            return self.limits.first_byte_seconds
        return self.limits.goodbye_seconds if self.is_leaving else self.timeout_keep_alive

    def _check_sender(self, now: float) -> None:
        if not self._in_body or not self._is_answering():
            self._close()
        elif self.flow.read_paused or self._body_bytes >= self.limits.stall_bytes:
            self._body_bytes = 0
            self.due = now + self.limits.stall_seconds
        else:
            self.transport.abort()

    def _watch_reader(self, now: float) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self.reader_due = now + self.limits.stall_seconds

    def _check_reader(self, now: float) -> None:
        taken = self._unread - self.transport.get_write_buffer_size()
        if taken < self.limits.stall_bytes:
            self.transport.abort()
        else:
            self._watch_reader(now)

    # What came in more than one piece

    def _is_in_head(self) -> bool:
        return self.headers is not None and self.headers is not _NO_HEADERS

    def _look_at_head(self) -> None:
        if not self._is_late:
            self._is_late = True
            self.due = _OWES
        if self._head_bytes > self.limits.head_bytes:
            self._refuse_head()

    def _look_at_body(self, bytes_before: int) -> None:
        if self.due == _OWES_NOTHING:  # it has just begun
            self.due = _OWES
            self._body_bytes = self._idle_bytes = 0
        elif self._body_bytes != bytes_before:
            self._idle_bytes = 0
        else:
            self._idle_bytes += self._chunk_bytes
            if self._idle_bytes > self.limits.head_bytes:
                self.transport.abort()

    def _is_head_large(self) -> bool:
        head = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return head > self.limits.head_bytes

    # Offers of other protocols

    def _go_on(self, data: memoryview) -> None:
        """Read on behind a head that asks for another protocol. We speak HTTP/1.1, whatever is offered."""
        try:
            self._decline_offer()
            while data:
                try:
                    self.parser.feed_data(data)
                except HttpParserUpgrade as upgrade:
                    data = data[upgrade.args[0] :]
                    self._decline_offer()
                else:
                    return
        except HttpParserError:
            self._refuse(400, "This is not a valid HTTP request.")

    def _decline_offer(self) -> None:
        """Read a head again, without its offer.

        Clients in Java offer HTTP/2 with each request, and httptools takes what follows for that protocol,
        the body too.
        """
        self._has_offer = False
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise HttpParserError("There is no tunnel here.")
        head = b"%s %s HTTP/%s\r\n" % (method, self.url, self.parser.get_http_version().encode())
        for name, value in self.headers:
            if name == b"connection":
                tokens = [token.strip() for token in value.lower().split(b",")]
                value = b", ".join(token for token in tokens if token not in {b"upgrade", b"http2-settings"})
            if name != b"upgrade" and value:
                head += name + b": " + value + b"\r\n"
        self.parser = HttpRequestParser(self)
        self.parser.feed_data(head + b"\r\n")

    # Ending

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse_head(self) -> None:
        self._refuse(431, "The request's headers are too large.")

    def _refuse(self, status: int, detail: str) -> None:
        if self._refusal is not None:
            return
        content = json.dumps({"detail": detail}).encode()
        head = b"%scontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self._refusal = head % (STATUS_LINE[status], len(content)) + content
        if not self._is_answering():
            self._close(self._refusal)
        elif self._in_body:
            # The request whose body can't be read is waiting for it. Its answer, and what stands before it,
            # can't be told apart any more.
            if self.pipeline or self.cycle.response_started:
                self.transport.abort()
            else:
                self._close(self._refusal)
        else:
            self.flow.pause_reading()  # the requests before it are answered first

    def _close(self, answer: bytes = b"") -> None:
        if answer and not self.transport.is_closing():
            self.transport.write(answer)
        self.transport.close()
        self.due = _OWES  # what has been written must be taken before the connection is gone


class BoundedServer(Server):
    """A server that looks at its connections' deadlines, and loses nobody when it ends.

    The lifespan's state may have an `asyncio.Event` under "leaving"; it is set when no more connections are
    accepted. Answers that have no end of their own, streams, must end then.
    """

    async def serve(self, sockets: Any = None) -> None:
        sweeping = asyncio.create_task(sweep(self.server_state.connections))  # type: ignore[arg-type]
        try:
            await super().serve(sockets)
        finally:
            sweeping.cancel()

    async def shutdown(self, sockets: Any = None) -> None:
        if departure.is_announced():
            await self._go_on(departure.delay_seconds)
        await _accept_those_who_wait(sockets or [])
        leaving = self.lifespan.state.get("leaving")
        if leaving is not None:
            leaving.set()
        asyncio.get_running_loop().call_later(_LATECOMER_SECONDS, self._tell_latecomers)
        await super().shutdown(sockets)

    async def _go_on(self, seconds: float) -> None:
        """Serve as before, until nobody is sent here any more."""
        until = asyncio.get_running_loop().time() + seconds
        while (left := until - asyncio.get_running_loop().time()) > 0 and not self.force_exit:
            if self.config.callback_notify is not None:
                await self.config.callback_notify()
            await asyncio.sleep(min(left, 1))

    def _tell_latecomers(self) -> None:
        """Tell those who were accepted in the last moment, after uvicorn has told all others."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, BoundedProtocol) and not connection.is_leaving:
                connection.shutdown()


async def _accept_those_who_wait(sockets: Iterable[socket.socket]) -> None:
    """Let the loop accept connections that the system has made; they would be reset with the socket."""
    poll = select.poll()
    for each in sockets:
        poll.register(each, select.POLLIN)
    for _ in range(_MOST_ACCEPTING_TURNS):
        if not poll.poll(0):
            return
        await asyncio.sleep(0)


async def sweep(connections: Collection[BoundedProtocol]) -> None:
    """Close connections whose clients are late, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        now = loop.time()
        for connection in list(connections):
            if connection.due <= now or connection.reader_due <= now:
                connection.check(now)

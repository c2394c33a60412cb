"""HTTP connections that can't be held open, or filled, by a client that doesn't play along.

uvicorn's own protocol reads headers without a limit and waits for them without a deadline, before any ASGI
code runs. This one bounds both, and closes connections whose body or reading stalls.

Deadlines are numbers, looked at by `sweep` twice a second, and not timers: a timer for each request would
cost more than all the other checks together.
"""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import Server

SWEEP_SECONDS = 0.5


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


class Phase(Enum):
    """Where the client is in what it sends."""

    BETWEEN = "between requests"
    HEAD = "in a head"
    OFFER = "behind a head that offers another protocol"
    BODY = "in a body"


class BoundedProtocol(HttpToolsProtocol):
    """A connection with limits: 431 for a large head, 400 for what isn't HTTP, closed when slow.

    A subclass sets `limits`.
    """

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.due = inf  # when the client must have sent what it owes
        self.reader_due = inf  # when it must have taken some of what we sent
        self._phase = Phase.BETWEEN
        self._unread = 0  # bytes not taken when `reader_due` was set
        self._chunk_bytes = 0  # of the latest read
        self._head_bytes = 0  # of the reads since the current head began
        self._body_bytes = 0  # since `due` was set
        self._idle_bytes = 0  # since a byte of body came: chunk extensions and trailers
        self._head_due = 0.0
        self._refusal: bytes | None = None  # the answer to what could not be read, and the last one
        self._leaving = False

    # What the transport reports

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.due = self.loop.time() + self.limits.first_byte_seconds

    def connection_lost(self, exc: Exception | None) -> None:
        self.due = self.reader_due = inf
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        self._chunk_bytes = len(data)
        self._head_bytes += len(data)
        body_bytes = self._body_bytes
        try:
            self._parse(data)
        except HttpParserError:
            self._refuse(400, "This is not a valid HTTP request.")
            return
        if self._phase is Phase.HEAD:
            self.due = self._head_due
            if self._head_bytes > self.limits.head_bytes:
                self._refuse_head()
        elif self._phase is Phase.BODY:
            if self.due == inf:
                self.due = self.loop.time() + self.limits.stall_seconds
            self._idle_bytes = self._idle_bytes + self._chunk_bytes if body_bytes == self._body_bytes else 0
            if self._idle_bytes > self.limits.head_bytes:
                self.transport.abort()

    def _parse(self, data: bytes | memoryview) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                data = memoryview(data)[upgrade.args[0] :]
                self._decline_offer()
            else:
                return

    def _decline_offer(self) -> None:
        """Read a head again, without its offer to speak another protocol.

        Clients in Java offer HTTP/2 with each request, and httptools takes what follows for that protocol,
        the body too.
        """
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

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.reader_due = inf

    # What the parser reports

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase = Phase.HEAD
        self._head_due = self.loop.time() + self.limits.head_seconds

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            self._phase = Phase.OFFER
            return
        # Adding up is only worth it where a read was large, or the head came in many.
        if max(self._head_bytes, self._chunk_bytes) > self.limits.head_bytes and self._is_head_large():
            self._refuse_head()
            raise HttpParserError  # to read no further
        super().on_headers_complete()
        self.headers = []  # for trailers, which are nobody's headers
        self._phase = Phase.BODY
        self._body_bytes = self._idle_bytes = 0
        self.due = inf
        if self._leaving:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._phase is Phase.OFFER:
            return
        super().on_message_complete()
        self._phase = Phase.BETWEEN
        self._head_bytes = 0
        self.due = self._idle_until() if self.cycle.response_complete else inf

    # What the answer's sender reports

    def on_response_complete(self) -> None:
        """As uvicorn's own, without a timer for each answer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._close()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal is not None:
            self._close(self._refusal)
        elif self._phase is Phase.BETWEEN:
            self.due = self._idle_until()
        elif self._phase is Phase.BODY:
            if self.expect_100_continue:  # the client may never send it
                self._close()
            else:
                self.due = self.loop.time() + self.limits.unwanted_body_seconds

    def shutdown(self) -> None:
        """End after the requests at hand, or after the one that may be on its way."""
        self._leaving = True
        if self._is_answering():
            self.cycle.keep_alive = False
        else:
            self.due = min(self.due, self.loop.time() + self.limits.goodbye_seconds)

    # Deadlines

    def check(self, now: float) -> None:
        """Close the connection if its client is late."""
        if self.due <= now:
            self._check_sender(now)
        if self.reader_due <= now:
            self._check_reader()

    def _check_sender(self, now: float) -> None:
        is_wanted = self._phase is Phase.BODY and not self.cycle.response_complete
        if not is_wanted:
            self._close()
        elif self.flow.read_paused or self._body_bytes >= self.limits.stall_bytes:
            self._body_bytes = 0
            self.due = now + self.limits.stall_seconds
        else:
            self.transport.abort()

    def _watch_reader(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self.reader_due = self.loop.time() + self.limits.stall_seconds

    def _check_reader(self) -> None:
        taken = self._unread - self.transport.get_write_buffer_size()
        if taken < self.limits.stall_bytes:
            self.transport.abort()
        else:
            self._watch_reader()

    def _idle_until(self) -> float:
        now = self.loop.time()
        return now + (self.limits.goodbye_seconds if self._leaving else self.timeout_keep_alive)

    # Ending

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _is_head_large(self) -> bool:
        head = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return head > self.limits.head_bytes

    def _refuse_head(self) -> None:
        self._refuse(431, "The request's headers are too large.")

    def _refuse(self, status: int, detail: str) -> None:
        if self._refusal is not None:
            return
        content = json.dumps({"detail": detail}).encode()
        headers = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n" % len(
            content
        )
        self._refusal = STATUS_LINE[status] + headers + b"\r\n" + content
        self.due = inf
        if not self._is_answering():
            self._close(self._refusal)
        elif self._phase is Phase.BODY:
            # The request whose body can't be read is waiting for it. Its answer, and what stands before it,
            # can't be told apart any more.
            if self.pipeline or self.cycle.response_started:
                self.transport.abort()
            else:
                self._close(self._refusal)
        else:
            self.flow.pause_reading()  # the requests before it are answered first

    def _close(self, answer: bytes = b"") -> None:
        if not self.transport.is_closing():
            if answer:
                self.transport.write(answer)
            self.transport.close()
        self.due = inf
        self._watch_reader()  # what has been written must be taken before the connection is gone


class BoundedServer(Server):
    """A server that looks at its connections' deadlines, and says when it is about to end.

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
        leaving = self.lifespan.state.get("leaving")
        if leaving is not None:
            leaving.set()
        await super().shutdown(sockets)


async def sweep(connections: Collection[BoundedProtocol]) -> None:
    """Close connections whose clients are late, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        now = loop.time()
        for connection in list(connections):
            if connection.due <= now or connection.reader_due <= now:
                connection.check(now)

"""Answers that have no end of their own, written piece by piece and never waiting for a reader.

Through ASGI's `send` whoever tells many streams the same would wait for the slowest of them, or keep a task
for each. The connection offers to be written to directly, and a reader that doesn't follow is cut off.
"""

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

# In a scope's extensions: a `StreamedBody`, where the connection takes one.
STREAMED_BODY = "burgee.streamed_body"

# Beside what the system keeps for a connection.
MOST_UNREAD_BYTES = 16 * 1024

_END = b"0\r\n\r\n"


def chunk_of(piece: bytes) -> bytes:
    """Return a piece of a body as it is written; made once for all the streams that get it."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class StreamedBody:
    """The body of an answer whose start, without a length, goes through `send`.

    When it has ended, whoever ended it, `receive` gives `http.disconnect`.
    """

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    @property
    def is_open(self) -> bool:
        cycle = self._cycle
        ended = cycle.response_complete or cycle.disconnected or cycle.transport.is_closing()
        return cycle.response_started and not ended

    def write(self, chunk: bytes) -> bool:
        """Write what `chunk_of` has made.

        Returns:
            False: the reader has not taken what it was sent, and is now cut off.
        """
        if not self.is_open:
            return True
        transport = self._cycle.transport
        if transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            transport.abort()
            return False
        transport.write(chunk)
        return True

    def end(self) -> None:
        """End the answer in order, and the connection with it."""
        if not self.is_open:
            return
        cycle = self._cycle
        cycle.transport.write(_END)
        cycle.response_complete = True
        cycle.message_event.set()
        cycle.transport.close()
        cycle.on_response()

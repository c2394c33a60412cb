"""Connections that end at a moment, however little is sent on them at a time.

A socket's own timeout begins anew with every byte: a server that sends one a second would be waited for as
long as it likes.
"""

import socket
import ssl
import time
from typing import Any, cast


class Deadline:
    """A moment at which something has to be over."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def seconds_left(self) -> float:
        """Return how long there is.

        Raises:
            TimeoutError: the moment has passed.
        """
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


class _UntilDeadline:
    """What sends and receives, each time with what is left of the time."""

    deadline: Deadline

    def recv_into(self, *arguments: Any) -> int:
        self._wait_no_longer()
        return int(super().recv_into(*arguments))  # type: ignore[misc]

    def send(self, *arguments: Any) -> int:
        self._wait_no_longer()
        return int(super().send(*arguments))  # type: ignore[misc]

    def sendall(self, *arguments: Any) -> None:
        self._wait_no_longer()
        super().sendall(*arguments)  # type: ignore[misc]

    def _wait_no_longer(self) -> None:
        self.settimeout(self.deadline.seconds_left())  # type: ignore[attr-defined]


class PlainSocket(_UntilDeadline, socket.socket):
    """A connection without encryption."""


class TlsSocket(_UntilDeadline, ssl.SSLSocket):
    """A connection with TLS: `ssl.SSLContext.sslsocket_class`."""


def connect(address: tuple[str, int], family: int, deadline: Deadline, seconds: float) -> PlainSocket:
    """Open a TCP connection to an address, never to a name.

    Args:
        deadline: when all that is done with the connection has to be over.
        seconds: how long opening it may take.

    Raises:
        OSError: nobody answers there, or not in time.
    """
    connection = PlainSocket(family, socket.SOCK_STREAM)
    connection.deadline = deadline
    try:
        connection.settimeout(seconds)
        connection.connect(address)
        # A body follows its headers at once, and neither should wait for the other's arrival.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def encrypt(connection: PlainSocket, host: str, context: ssl.SSLContext) -> TlsSocket:
    """Begin TLS with whoever proves to be `host`.

    Args:
        context: one that makes a `TlsSocket`.

    Raises:
        OSError: they don't, or not in time.
    """
    deadline = connection.deadline
    connection.settimeout(deadline.seconds_left())
    encrypted = cast(TlsSocket, context.wrap_socket(connection, server_hostname=host))
    encrypted.deadline = deadline
    return encrypted

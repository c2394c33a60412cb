"""Servers on this machine that are called, for tests of what calls them."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def status(code: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} As asked", "Content-Length: 0", *headers, "", ""]
    return "\r\n".join(lines).encode()


@dataclass
class Receiver:
    """What was sent to a server: each request as bytes, in the order in which they came."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    def url(self, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/hook"

    @property
    def body(self) -> bytes:
        return self.requests[-1].partition(b"\r\n\r\n")[2]

    @property
    def headers(self) -> dict[str, str]:
        lines = self.requests[-1].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(answer)


def dripping(connection: socket.socket) -> None:
    """Send a byte every 20 milliseconds, for four seconds or until nobody listens."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    connection.settimeout(0.02)
    for _ in range(200):
        connection.sendall(b"x")
        with suppress(TimeoutError):
            if not connection.recv(1):
                return


def silent(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(1)


@contextmanager
def receiver(
    react: Callable[[socket.socket], None] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Listen, note each request, and do to its connection what `react` does; answer 200 without it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        received = Receiver(listening.getsockname()[1])
        thread = threading.Thread(
            target=_serve, args=(listening, received, react or answering(OK), tls), daemon=True
        )
        thread.start()
        yield received
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _serve(
    listening: socket.socket,
    received: Receiver,
    react: Callable[[socket.socket], None],
    tls: ssl.SSLContext | None,
) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:  # no longer listening
            return
        with suppress(OSError), connection:
            encrypted = tls.wrap_socket(connection, server_side=True) if tls else connection
            with encrypted:
                received.requests.append(_request(encrypted))
                react(encrypted)


def _request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        request += _more(connection)
    head, _, body = request.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += _more(connection)
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("It was closed in the middle.")
    return data

"""Speaking HTTP by hand: what clients' libraries would put right must reach the server as it is."""

import json
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Far more than any answer takes here. A test that runs into it has failed.
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for each, value in self.headers if each == name), None)

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """A connection to a server: bytes out, answers in."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._input = sock.makefile("rb")

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read_answer(self, *, has_body: bool = True) -> Answer:
        """Return the next answer.

        Raises:
            EOFError: the server has closed the connection.
        """
        try:
            status = self._input.readline()
        except ConnectionResetError as error:
            raise EOFError from error
        if not status:
            raise EOFError
        headers = []
        while line := self._input.readline().strip():
            name, _, value = line.decode("latin-1").partition(": ")
            headers.append((name, value))
        answer = Answer(int(status.split()[1]), headers, b"")
        body = self._read_body(answer) if has_body else b""
        return Answer(answer.status, headers, body)

    def ask(self, data: bytes) -> Answer:
        self.send(data)
        return self.read_answer()

    def is_closed_by_server(self) -> bool:
        """Wait until the server closes the connection without another byte."""
        try:
            return self._input.read(1) == b""
        except ConnectionResetError:
            return True

    def is_cut_while_sending(self, piece: bytes, pause_seconds: float = 0.05) -> bool:
        """Send a piece over and over; False if the server bears it for `PATIENCE_SECONDS`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                self.send(piece)
            except ConnectionError:
                return True
            time.sleep(pause_seconds)
        return False

    def count_until_closed(self, pause_seconds: float = 0.0) -> int:
        """Return how many bytes come before the connection ends, in order or not."""
        received = 0
        try:
            while piece := self.sock.recv(100_000):
                received += len(piece)
                time.sleep(pause_seconds)
        except ConnectionResetError:
            pass
        return received

    def _read_body(self, answer: Answer) -> bytes:
        if answer.header("transfer-encoding") == "chunked":
            pieces = []
            while size := int(self._input.readline(), 16):
                pieces.append(self._input.read(size))
                self._input.readline()
            self._input.readline()
            return b"".join(pieces)
        return self._input.read(int(answer.header("content-length") or 0))


@contextmanager
def connected(address: tuple[str, int], *, receive_bytes: int | None = None) -> Iterator[Connection]:
    """Connect; `receive_bytes` bounds what the system takes before the test reads it."""
    sock = socket.socket()
    with sock:
        if receive_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.settimeout(PATIENCE_SECONDS)
        sock.connect(address)
        yield Connection(sock)


def request(
    method: str = "GET",
    target: str = "/echo",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> bytes:
    """Return a request's bytes, with a Content-Length where there is a body and no header of its length."""
    listed = list(headers)
    names = {name.lower() for name, _ in listed}
    if "host" not in names:
        listed.insert(0, ("Host", "localhost"))
    if body and not names & {"content-length", "transfer-encoding"}:
        listed.append(("Content-Length", str(len(body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in listed)
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def chunked(*pieces: bytes, trailers: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailers + b"\r\n"

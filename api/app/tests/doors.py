"""Sending one request to Django's WSGI application and through the server, to compare what they answer."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from django.db import connections

from core.asgi.django_door import DjangoDoor
from core.asgi.front import Front
from core.tests.asgi.servers import Address
from core.tests.asgi.wire import Answer, chunked, connected, request

# What belongs to the connection, and what tells the time.
_NOT_COMPARED = {"connection", "transfer-encoding", "date", "expires"}


@dataclass(frozen=True)
class Exchange:
    """A request. With `in_chunks` its body comes without a length, where HTTP is spoken."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    in_chunks: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.target[:80]} {self.headers} {self.body[:80]!r}"


def ask_directly(application: WSGIApplication, exchange: Exchange) -> Answer:
    """Call a WSGI application as a server on the same machine would, and no code of ours before it."""
    path, _, query = exchange.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": exchange.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(exchange.body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if exchange.body or exchange.in_chunks:
        environ["CONTENT_LENGTH"] = str(len(exchange.body))
    for name, value in exchange.headers:
        variable = name.upper().replace("-", "_")
        environ[variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"] = value
    started: list[Any] = []
    response = application(environ, lambda *status_and_headers: started.extend(status_and_headers))  # type: ignore[arg-type]
    try:
        body = b"".join(response)
    finally:
        response.close()  # type: ignore[attr-defined]
    status, headers = started[:2]
    # A server sends no body to HEAD.
    return Answer(int(status.split()[0]), headers, b"" if exchange.method == "HEAD" else body)


def ask_server(address: Address, exchange: Exchange) -> Answer:
    headers = [*exchange.headers]
    body = exchange.body
    if exchange.in_chunks:
        headers.append(("Transfer-Encoding", "chunked"))
        body = chunked(*[body[start : start + 7] for start in range(0, len(body), 7)])
    with connected(address) as connection:
        connection.send(request(exchange.method, exchange.target, headers, body))
        return connection.read_answer(has_body=exchange.method != "HEAD")


def end_connections(front: Front) -> None:
    """Close the database connections of the threads behind a server that has one thread."""
    assert isinstance(front.django, DjangoDoor)
    front.django.executor.submit(connections.close_all).result()


def comparable(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [(name.lower(), value) for name, value in answer.headers if name.lower() not in _NOT_COMPARED]
    return answer.status, sorted(headers), answer.body

"""Sending one request to Django's WSGI application and through the server, to compare what they answer."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIApplication

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import override_settings

from app import asgi
from core.asgi.django_door import DjangoDoor
from core.asgi.front import Front
from core.middleware import REHEARSAL
from core.tests.asgi.servers import Address, served
from core.tests.asgi.wire import Answer, chunked, connected, request

# What belongs to the connection or to the one request, and what tells the time.
_NOT_COMPARED = {"connection", "transfer-encoding", "date", "expires", "x-request-id"}


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


class Server:
    """The server as `app.asgi` builds it, with one thread for Django, who is watched.

    Attributes:
        reached_django: how many requests Django was asked to answer.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.reached_django = 0

    def ask(self, exchange: Exchange) -> Answer:
        headers = [*exchange.headers]
        body = exchange.body
        if exchange.in_chunks:
            headers.append(("Transfer-Encoding", "chunked"))
            body = chunked(*[body[start : start + 7] for start in range(0, len(body), 7)])
        with connected(self.address) as connection:
            connection.send(request(exchange.method, exchange.target, headers, body))
            return connection.read_answer(has_body=exchange.method != "HEAD")


@contextmanager
def running_server(application: WSGIApplication | None = None) -> Iterator[Server]:
    """Serve from a thread, by the settings as they are, with `application` in Django's place."""
    django = application or WSGIHandler()

    def counting(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        server.reached_django += REHEARSAL not in environ
        return django(environ, start_response)

    with override_settings(GUNICORN_THREADS=1):
        built = asgi.build(counting)
    with served(built.application) as address:
        server = Server(address)
        try:
            yield server
        finally:
            _end_connections(built.front)


def ask_django(exchange: Exchange) -> Answer:
    """Call Django as a server on the same machine would, and no code of ours before it."""
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
        environ[variable if variable.startswith("CONTENT_") else f"HTTP_{variable}"] = value
    started: list[Any] = []
    response = WSGIHandler()(environ, lambda *status_and_headers: started.extend(status_and_headers))  # type: ignore[arg-type]
    try:
        body = b"".join(response)
    finally:
        response.close()
    status, headers = started[:2]
    return Answer(
        int(status.split()[0]),
        [(name.lower(), value.strip()) for name, value in headers],
        b"" if exchange.method == "HEAD" else body,  # a server sends none
    )


def comparable(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [(name, value) for name, value in answer.headers if name not in _NOT_COMPARED]
    return answer.status, sorted(headers), answer.body


def _end_connections(front: Front) -> None:
    """Close the database connections of the one thread that is Django's."""
    for door in (front.django, front.operations):
        assert isinstance(door, DjangoDoor)
        door.executor.submit(connections.close_all).result()

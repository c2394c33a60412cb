"""One request through both doors: Django alone, and the server's ASGI application, whose lane comes first."""

import asyncio
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIApplication

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from core.asgi.bodies import BodyReader
from core.asgi.django_door import DjangoDoor
from core.asgi.front import Front
from core.asgi.lifespan import Lifespan
from core.asgi.rehearsal import Rehearsals
from core.asgi.request import Request
from sdk.lane.routes import sdk_lane
from sdk.live import LiveSnapshots


@dataclass(frozen=True)
class Asked:
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    scheme: str = "http"

    @property
    def all_headers(self) -> list[tuple[str, str]]:
        given = {name.lower(): value for name, value in self.headers.items()}
        length = {"content-length": str(len(self.body))} if self.body else {}
        return [
            (name, value) for name, value in {"host": "flags.example", **length, **given}.items() if value
        ]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return dict(self.headers)[name]


def through_django(application: WSGIApplication, asked: Asked) -> Answer:
    path, _, query = asked.path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": asked.method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": asked.scheme,
        "wsgi.input": BytesIO(asked.body),
    }
    for name, value in asked.all_headers:
        variable = name.upper().replace("-", "_")
        environ[variable if variable.startswith("CONTENT_") else f"HTTP_{variable}"] = value
    started: list[Any] = []

    def start_response(*arguments: Any) -> Any:
        started.extend(arguments)

    body = b"".join(application(environ, start_response))
    return Answer(int(started[0].split()[0]), _sorted(started[1]), body)


class Server:
    """The ASGI application with everything that `app.asgi` gives it, made of the settings as they are."""

    def __init__(self, live: LiveSnapshots, application: WSGIApplication) -> None:
        self.lane = sdk_lane(live, Rehearsals(application))
        self.in_lane = 0
        self._front = Front(
            lifespan=Lifespan([]),
            lane=self._counting,
            django=DjangoDoor(application, threads=1, max_waiting=10),
            bodies=BodyReader(lambda path: 2**20),
            trusted_proxies=["*"],
        )

    async def answer(self, asked: Asked) -> Answer:
        path, _, query = asked.path.partition("?")
        scope = {
            "type": "http",
            "method": asked.method,
            "path": unquote_to_bytes(path).decode(errors="replace"),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "http_version": "1.1",
            "scheme": asked.scheme,
            "server": ("testserver", 80),
            "client": ("127.0.0.1", 5000),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in asked.all_headers],
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": asked.body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._front(scope, receive, send)
        headers = [(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], _sorted(headers), body)

    async def _counting(self, request: Request) -> bool:
        answered = await self.lane(request)
        self.in_lane += answered
        return answered


def through_both(live: LiveSnapshots, asked: Sequence[Asked]) -> list[tuple[Answer, Answer, Answer, bool]]:
    """Return the answers of Django without a feed, of Django beside one, and of the server; and whether the
    lane gave the last."""
    application = _leaving_no_connection(WSGIHandler())
    alone = [through_django(application, each) for each in asked]

    async def fed() -> list[tuple[Answer, Answer, bool]]:
        async with live.running():
            server = Server(live, application)
            answers = []
            for each in asked:
                beside = await asyncio.to_thread(through_django, application, each)
                before = server.in_lane
                answer = await server.answer(each)
                answers.append((beside, answer, server.in_lane > before))
            return answers

    return [(first, *rest) for first, rest in zip(alone, asyncio.run(fed()), strict=True)]


def _leaving_no_connection(application: WSGIHandler) -> WSGIApplication:
    """Answer as the application does, from whichever thread; the test's database is dropped in the end."""

    def answering(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            response = application(environ, start_response)
            body = b"".join(response)
            response.close()
        finally:
            if threading.current_thread() is not threading.main_thread():
                connections.close_all()
        return [body]

    return answering


def _sorted(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted((name.lower(), value.strip()) for name, value in headers)

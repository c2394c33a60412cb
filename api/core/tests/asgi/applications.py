"""ASGI applications that tests serve: in a thread of theirs, or by gunicorn as `…applications:echo`."""

import asyncio
import os
from typing import Any
from urllib.parse import parse_qs

from core.asgi.lifespan import Lifespan
from core.asgi.protocol import WHOLE_ANSWER, BoundedProtocol, Limits, head_of, lines_of
from core.asgi.responses import send_json
from core.asgi.streamed import STREAMED_BODY, chunk_of
from core.asgi.types import Receive, Scope, Send
from core.asgi.worker import Worker

_lifespan = Lifespan()


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what was asked; `wait` is how many seconds that takes, `bytes` how large the answer is.

    With `unread` the request's body is left where it is.
    """
    if scope["type"] == "lifespan":
        await _lifespan(scope, receive, send)
        return
    query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    await asyncio.sleep(float(query.get("wait", ["0"])[0]))
    body = b""
    while "unread" not in query:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    content: dict[str, Any] = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "body": body.decode("latin-1"),
        "pid": os.getpid(),
        "padding": "x" * int(query.get("bytes", ["0"])[0]),
    }
    await send_json(send, 200, content)


async def whole(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as bytes that were there before; `bytes` is how large the answer is."""
    if scope["type"] == "lifespan":
        await _lifespan(scope, receive, send)
        return
    query = parse_qs(scope["query_string"].decode())
    body = b"x" * int(query.get("bytes", ["5"])[0])
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    if not scope["extensions"][WHOLE_ANSWER](200, head_of(200, lines_of(headers)), body):
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
    """Write pieces, as many as `pieces` and as large as `bytes`; end the answer if that many are through."""
    if scope["type"] == "lifespan":
        await _lifespan(scope, receive, send)
        return
    query = parse_qs(scope["query_string"].decode())
    chunk = chunk_of(b"x" * int(query["bytes"][0]))
    body = scope["extensions"][STREAMED_BODY]
    body.write(chunk)  # too early: nothing is written
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(int(query["pieces"][0])):
        if not (body.write(chunk) and body.is_open):
            break
        await asyncio.sleep(0)
    else:
        body.end()
        body.write(chunk)  # too late
    while (await receive())["type"] != "http.disconnect":
        pass


class HastyProtocol(BoundedProtocol):
    limits = Limits(
        first_byte_seconds=0.3,
        head_seconds=0.6,
        stall_seconds=0.6,
        unwanted_body_seconds=0.6,
        bytes_per_second=1000,
    )


class HastyWorker(Worker):
    CONFIG_KWARGS = {**Worker.CONFIG_KWARGS, "http": HastyProtocol}

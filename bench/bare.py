"""What Burgee is compared with: the least that uvicorn can do under gunicorn.

`GET /3200` is answered by 3,200 constant bytes, whatever else was sent.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn_worker import UvicornWorker

Message = MutableMapping[str, Any]
Answer = tuple[Message, Message]

_answers: dict[str, Answer] = {}


class Worker(UvicornWorker):  # type: ignore[misc]  # it has no types
    """uvicorn's own protocol at its quickest: nothing logged, no header added that need not be."""

    CONFIG_KWARGS = {
        "loop": "uvloop",
        "http": "httptools",
        "ws": "none",
        "interface": "asgi3",
        "lifespan": "off",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
    }


async def application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    start, body = _answers.get(scope["path"]) or _answer(scope["path"])
    await send(start)
    await send(body)


def _answer(path: str) -> Answer:
    size = int(path.strip("/") or 0)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % size)]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    _answers[path] = start, {"type": "http.response.body", "body": b"x" * size}
    return _answers[path]

"""What Burgee is compared with: uvicorn as it comes, under gunicorn, with an answer that is always there.

`GET /3200` is answered by 3,200 constant bytes, whatever else was sent.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn_worker import UvicornWorker

Message = MutableMapping[str, Any]
Answer = tuple[Message, Message]

_answers: dict[str, Answer] = {}


class Worker(UvicornWorker):  # type: ignore[misc]  # it has no types
    """uvicorn as it comes, with the loop and the parser that Burgee has too."""

    CONFIG_KWARGS = {"loop": "uvloop", "http": "httptools"}


async def application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        raise NotImplementedError  # by which uvicorn learns that there is nothing to start
    start, body = _answers.get(scope["path"]) or _answer(scope["path"])
    await send(start)
    await send(body)


def _answer(path: str) -> Answer:
    size = int(path.strip("/") or 0)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % size)]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    _answers[path] = start, {"type": "http.response.body", "body": b"x" * size}
    return _answers[path]

"""Answers that are given before anything of the product is asked."""

import json
from collections.abc import Iterable
from typing import Any

from core.asgi.types import Send


class Refused(Exception):
    """The request is answered with this status and goes no further: `{"detail": …}`."""

    def __init__(self, status: int, detail: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers

    async def send(self, send: Send, common: Iterable[tuple[bytes, bytes]] = ()) -> None:
        await send_json(send, self.status, {"detail": self.detail}, [*self.headers, *common])


async def send_json(
    send: Send, status: int, content: Any, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    body = json.dumps(content).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})

"""Reading request bodies: whole, and never too much of them."""

from collections.abc import Callable

from core.asgi.responses import Refused
from core.asgi.types import Headers, Receive, Scope


class BodyReader:
    """Reads bodies up to what their path allows.

    Args:
        max_bytes: the largest body by path.
    """

    def __init__(self, max_bytes: Callable[[str], int]) -> None:
        self._max_bytes = max_bytes

    async def read(self, scope: Scope, headers: Headers, receive: Receive) -> bytes | None:
        """Return the whole body; None when the client went away before it was there.

        Raises:
            Refused: 413, it is larger than allowed, as announced or as received.
        """
        announced = headers.get(b"content-length")
        if announced is None and b"transfer-encoding" not in headers:
            return b""
        limit = self._max_bytes(scope["path"])
        if announced is not None and announced.isdigit() and int(announced) > limit:
            raise too_large(limit)
        message = await receive()
        if message["type"] == "http.request" and not message["more_body"] and len(message["body"]) <= limit:
            return bytes(message["body"])  # nearly always: what came with the head
        pieces: list[bytes] = []
        size = 0
        while message["type"] == "http.request":
            pieces.append(message["body"])
            size += len(message["body"])
            if size > limit:
                raise too_large(limit)
            if not message["more_body"]:
                return b"".join(pieces)
            message = await receive()
        return None


def too_large(limit: int) -> Refused:
    return Refused(413, f"The request body is larger than {limit} bytes.")

"""One request, as the doors are given it."""

from core.asgi.bodies import BodyReader
from core.asgi.types import Headers, Receive, Scope, Send


class Request:
    """What the front hands to the lane, and then to Django where the lane declines.

    Attributes:
        headers: the last value by name in lower case; `scope["headers"]` has them all.
    """

    __slots__ = ("_bodies", "_body", "_is_read", "headers", "receive", "scope", "send")

    def __init__(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send, bodies: BodyReader
    ) -> None:
        self.scope = scope
        self.headers = headers
        self.receive = receive
        self.send = send
        self._bodies = bodies
        self._body: bytes | None = None
        self._is_read = False

    async def body(self) -> bytes | None:
        """Return the whole body; None when the client went away before it was there. Read once and kept.

        Raises:
            Refused: 413, it is larger than allowed.
        """
        if not self._is_read:
            self._is_read = True
            self._body = await self._bodies.read(self.scope, self.headers, self.receive)
        return self._body

    def text(self, name: bytes) -> str | None:
        """Return a header's value."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

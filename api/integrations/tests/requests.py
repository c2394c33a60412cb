"""What a service on this machine is sent."""

import json
from typing import Any, NamedTuple

from core.outgoing import post
from core.tests.receivers import Receiver
from integrations.calls import Call


class Sent(NamedTuple):
    """A request as it has arrived.

    Attributes:
        target: what follows POST in the first line: path and query.
        headers: by their names in lower case.
    """

    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def base_of(service: Receiver) -> str:
    return f"http://127.0.0.1:{service.port}"


def sent(service: Receiver, call: Call | None) -> Sent:
    """Make a call, and return what has arrived."""
    assert call
    assert post(call.url, call.body, call.headers, content_type=call.content_type).is_success
    method, target, version = service.requests[-1].split(b"\r\n")[0].decode().split(" ")
    assert (method, version) == ("POST", "HTTP/1.1")
    return Sent(target, service.headers, service.body)

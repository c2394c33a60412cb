"""What is sent to another service: a request, before anybody sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from core.outgoing import as_bytes

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Call:
    """A POST that tells another service something."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def json_call(url: str, payload: Any, **headers: str) -> Call:
    """Return a call with a JSON body. Headers are named with underscores: `X_Api_Key`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(url, as_bytes(payload), named)


def form_call(url: str, fields: Mapping[str, str]) -> Call:
    return Call(url, urlencode(fields).encode(), content_type=FORM)


def below(base_url: str, path: str, **query: str) -> str:
    """Return the URL of a path below a base, which may end with a slash or not."""
    return f"{base_url.rstrip('/')}/{path}" + (f"?{urlencode(query)}" if query else "")

"""Entity tags, and requests that hold only as long as something hasn't changed (RFC 9110, section 13)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

from django.http import HttpRequest
from django.utils.http import parse_etags
from rest_framework import status
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from core.errors import DomainError, InvalidInput

# What changes without anybody changing the object: that its owner has signed in again is nobody's conflict.
_PASSING = frozenset({"last_login"})


class PreconditionFailedError(DomainError):
    """The object isn't what the caller takes it for. The answer is the object as it is now, with its tag."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    code = "precondition_failed"

    def __init__(self, current: Any = None, tag: str | None = None) -> None:
        super().__init__("There is nothing at this address that these tags could be of.")
        self.current = current
        if tag is not None:
            self.headers = {"ETag": tag}

    @property
    def body(self) -> Any:
        return super().body if self.current is None else self.current


def tag_of(representation: Any) -> str:
    """Return the entity tag of what an object is shown as: equal as long as that is.

    It depends on nothing but the content, so all servers make the same, and it outlives every restart.
    """
    text = json.dumps(_lasting(representation), cls=JSONEncoder, sort_keys=True, separators=(",", ":"))
    return f'"{blake2b(text.encode(), digest_size=16).hexdigest()}"'


@dataclass(frozen=True)
class Preconditions:
    """What a request says of the state that it is meant for. None: nothing."""

    if_match: Sequence[str] | None
    if_none_match: Sequence[str] | None

    @classmethod
    def of(cls, request: HttpRequest | Request) -> Self:
        """Read them from the headers.

        Raises:
            InvalidInput: a header is neither `*` nor a list of tags in quotes.
        """
        return cls(_tags_in(request, "If-Match"), _tags_in(request, "If-None-Match"))

    def __bool__(self) -> bool:
        return self.if_match is not None or self.if_none_match is not None

    def is_fresh(self, tag: str) -> bool:
        """Whether who reads has this already."""
        return self.if_none_match is not None and _matches(self.if_none_match, tag, weakly=True)

    def allow(self, tag: str | None) -> bool:
        """Whether the change may be made to the object with this tag; None: there are no tags here."""
        wanted = self.if_match is None or _matches(self.if_match, tag, weakly=False)
        return wanted and not (
            self.if_none_match is not None and _matches(self.if_none_match, tag, weakly=True)
        )


def _tags_in(request: HttpRequest | Request, header: str) -> Sequence[str] | None:
    if header not in request.headers:
        return None
    tags: list[str] = parse_etags(request.headers[header])
    if not tags:
        raise InvalidInput({header: ['This has to be `*`, or entity tags in double quotes: "…", "…".']})
    return tags


def _matches(tags: Sequence[str], tag: str | None, *, weakly: bool) -> bool:
    """Whether one of `tags` is `tag`. Only a comparison that is itself weak takes weak ones."""
    if tags == ["*"]:
        return True
    return tag in ([each.removeprefix("W/") for each in tags] if weakly else tags)


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(each) for key, each in value.items() if key not in _PASSING}
    if isinstance(value, list | tuple):
        return [_lasting(each) for each in value]
    return value

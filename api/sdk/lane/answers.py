"""Sending what `sdk.payloads` made, with everything that the middleware would have added."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from django.conf import settings

from core.asgi.protocol import WHOLE_ANSWER, head_of, lines_of
from core.asgi.rehearsal import Common, Rehearsals
from core.asgi.request import Request
from core.asgi.types import Message
from environments.revisions import REVISION_HEADER
from sdk.contents import encode
from sdk.encodings import encoded, takes_gzip, vary
from sdk.inputs import read_min_revision
from sdk.keys import KeyRefused, KeyUnchecked
from sdk.live import LiveSnapshots
from sdk.payloads import DEGRADED_HEADER, UPDATED_AT_HEADER, SdkResponse
from sdk.snapshots import Access
from sdk.store import RevisionNotReached
from sdk.streams.hub import TooManyStreams

Refusal = KeyRefused | KeyUnchecked | RevisionNotReached | TooManyStreams
REFUSALS = (KeyRefused, KeyUnchecked, RevisionNotReached)

_MIN_REVISION = b"x-burgee-min-revision"
_ACCEPT_ENCODING = b"accept-encoding"
# Of the headers that nearly every answer has, the bytes.
_SPELT = {name: name.lower().encode() for name in (UPDATED_AT_HEADER, REVISION_HEADER)}
# What forbids caching, unless the answer itself speaks of it.
_CACHING = frozenset({b"cache-control", b"expires", b"pragma"})
_NONE: dict[str, Any] = {}


class Whole(NamedTuple):
    """An answer as bytes, and what it takes to say the same in messages.

    Attributes:
        head: from the status line to the last header.
        own: the headers that only this answer has.
    """

    status: int
    head: bytes
    body: bytes
    own: Mapping[bytes, bytes]
    common: Common

    @property
    def messages(self) -> tuple[Message, Message]:
        headers = [*self.own.items(), *self.common.pairs]
        return (
            {"type": "http.response.start", "status": self.status, "headers": headers},
            {"type": "http.response.body", "body": self.body},
        )


class Answers:
    """What handlers have in common: opening a key's environment, and sending.

    Args:
        live: the snapshots that are fed.
        rehearsals: what the middleware makes of requests.
    """

    def __init__(self, live: LiveSnapshots, rehearsals: Rehearsals) -> None:
        self._live = live
        self._rehearsals = rehearsals

    def common(self, request: Request, allow: str, *, path: str | None = None) -> Common | None:
        """Return what the middleware adds to a request's answer; None: Django itself has to answer it.

        Args:
            allow: the methods of the view.
            path: one that stands for the request's, where there are many that are served alike.
        """
        return self._rehearsals.common(request, (("Allow", allow), ("Vary", vary())), path=path)

    async def preflight(self, request: Request, *, path: str | None = None) -> bool:
        """Answer a browser that asks what it may send, or decline."""
        answer = self._rehearsals.preflight(request, path=path)
        if answer is None:
            return False
        headers = list(answer.headers)
        await request.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await request.send({"type": "http.response.body", "body": b""})
        return True

    def opened(self, request: Request, key: str) -> Access | None:
        """Return what a key opens, from memory and without waiting; None: `open` it.

        Raises:
            KeyRefused: memory is sure that it opens nothing.
        """
        return None if _MIN_REVISION in request.headers else self._live.get(key)

    async def loaded(self, key: str) -> Access:
        """Return what a key opens, at whatever revision is at hand.

        Raises:
            KeyRefused, KeyUnchecked: `refused` says how to answer.
        """
        return self._live.get(key) or await self._live.load(key)

    async def open(self, request: Request, key: str) -> Access:
        """Return what a key opens, at the revision that the request wants or a later one.

        Raises:
            ValidationError: what it wants is no revision; Django says so.
            KeyRefused, KeyUnchecked, RevisionNotReached: `refused` says how to answer.
        """
        access = await self.loaded(key)
        wanted = read_min_revision(request.text(_MIN_REVISION), access.snapshot.environment_id)
        if wanted is None or access.snapshot.name.number >= wanted:
            return access
        snapshot = await self._live.reach(access.snapshot.environment_id, wanted)
        return Access(snapshot, access.is_server_side)

    def degraded_seconds(self, access: Access) -> int | None:
        """Return for how long it hasn't been known whether the environment has changed; None: it is known."""
        return self._live.degraded_seconds(access.snapshot.environment_id)

    async def send(
        self, request: Request, common: Common, answer: SdkResponse, access: Access | None = None
    ) -> None:
        """Send an answer; `access` is what it was made from."""
        more = {}
        if access is not None and (degraded := self.degraded_seconds(access)) is not None:
            more[DEGRADED_HEADER] = str(degraded)
        whole = self.whole(request, common, answer, more)
        if not self.sent(request, whole):
            await self.send_messages(request, whole)

    def sent(self, request: Request, whole: Whole) -> bool:
        """Send as bytes and at once. Return False where the connection doesn't take that."""
        as_bytes = request.scope.get("extensions", _NONE).get(WHOLE_ANSWER)
        return (
            as_bytes is not None
            and request.scope["method"] != "HEAD"
            and as_bytes(whole.status, whole.head, whole.body)
        )

    async def send_messages(self, request: Request, whole: Whole) -> None:
        for message in whole.messages:
            await request.send(message)

    def whole(
        self, request: Request, common: Common, answer: SdkResponse, more: Mapping[str, str] | None = None
    ) -> Whole:
        """Return all that is sent, in the encoding that the client takes."""
        answer = encoded(answer, accepts=accepts_gzip(request))
        own = {
            (_SPELT.get(name) or name.lower().encode()): value.encode("latin-1")
            for name, value in answer.headers.items()
        }
        if more:
            own.update((name.lower().encode(), value.encode()) for name, value in more.items())
        if answer.status != 304:
            own[b"content-type"] = b"application/json"
            own[b"content-length"] = b"%d" % len(answer.body)
        common = beside(common, own)
        head = head_of(answer.status, lines_of(own.items()), common.lines)
        return Whole(answer.status, head, answer.body, own, common)


def accepts_gzip(request: Request) -> bool:
    """Whether to compress the answer."""
    return settings.ENABLE_GZIP_COMPRESSION and takes_gzip(request.text(_ACCEPT_ENCODING))


def refused(refusal: Refusal) -> SdkResponse:
    """Return the answer to a request that isn't let in, or not now."""
    if isinstance(refusal, KeyRefused):
        return SdkResponse(403, encode({"detail": str(refusal)}))
    headers = {"Retry-After": str(refusal.retry_after_seconds)}
    return SdkResponse(503, encode({"detail": str(refusal)}), headers)


def beside(common: Common, own: Collection[bytes]) -> Common:
    """Return what the middleware adds to an answer that has headers of these names."""
    if b"cache-control" not in own:
        return common
    return Common(tuple(header for header in common.pairs if header[0] not in _CACHING))

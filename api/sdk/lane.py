"""Answers SDKs on the event loop, from memory: no Django, no database, no encoding.

An optimisation of the views in `sdk.views`, never a second implementation: bodies and headers come from the
same functions in `sdk.payloads`, what middleware adds comes from the middleware itself, and what is out of
the ordinary is left to Django.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rest_framework.exceptions import ValidationError

from core.asgi.protocol import WHOLE_ANSWER, head_of
from core.asgi.rehearsal import Common, Rehearsals
from core.asgi.types import Headers, Message, Receive, Scope, Send
from sdk import payloads
from sdk.authentication import KEY_HEADER
from sdk.contents import encode
from sdk.inputs import read_min_revision, read_query
from sdk.keys import MISSING_KEY, KeyRefused, KeyUnchecked, is_server_side
from sdk.live import LiveSnapshots
from sdk.payloads import SdkResponse
from sdk.snapshots import Access
from sdk.store import RevisionNotReached

# With one of these a request has a body, a session, or wants to be told to go on.
_FOR_DJANGO = frozenset({b"content-length", b"transfer-encoding", b"cookie", b"expect"})
# With one of these the answer isn't always the same.
_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"x-burgee-min-revision"})
_NONE: dict[str, Any] = {}
_KEY = KEY_HEADER.lower().encode()

# Behind one host name and without browsers of many origins there is one of each.
_MOST_PREPARED = 16


@dataclass(frozen=True, slots=True)
class Route:
    """What is answered at one path.

    Attributes:
        answer: returns the answer; raises ValidationError where Django should tell what is wrong.
    """

    name: str
    is_for_servers: bool
    answer: Callable[[Access, Scope, Headers], SdkResponse]


class Lane:
    """Answers what can be answered from memory, or after loading one environment into it.

    Args:
        live: the snapshots that are fed.
        rehearsals: what the middleware makes of requests.
    """

    def __init__(self, live: LiveSnapshots, rehearsals: Rehearsals) -> None:
        self._live = live
        self._rehearsals = rehearsals
        self._of_view = {"Allow": "GET, HEAD, OPTIONS", "Vary": KEY_HEADER}
        routes = [
            Route("flags", False, _flags),
            Route("environment-document", True, _document),
        ]
        self._routes = {f"/api/v1/{route.name}{slash}": route for route in routes for slash in ("", "/")}

    async def __call__(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> bool:
        route = self._routes.get(scope["path"])
        if (
            route is None
            or scope["method"] != "GET"
            or not _FOR_DJANGO.isdisjoint(headers)
            or len(headers) != len(scope["headers"])  # the middleware joins what is repeated
        ):
            return False
        common = self._rehearsals.common(scope, headers, self._of_view)
        if common is None:
            return False
        try:
            key = headers.get(_KEY, b"").decode("latin-1")
            if route.is_for_servers and not is_server_side(key):
                raise KeyRefused(MISSING_KEY)
            access = self._live.get(key) or await self._live.load(key)
        except KeyRefused as refused:
            await _send(send, common, _detail(403, refused))
            return True
        except KeyUnchecked as unchecked:
            await _send(send, common, _detail(503, unchecked, unchecked.retry_after_seconds))
            return True
        degraded = self._live.degraded_seconds(access.snapshot.environment_id)
        if not scope["query_string"] and degraded is None and _CONDITIONS.isdisjoint(headers):
            prepared = _prepared(route, access, common, scope, headers)
            whole = scope.get("extensions", _NONE).get(WHOLE_ANSWER)
            if whole is None or not whole(200, prepared.head, prepared.body["body"]):
                await send(prepared.start)
                await send(prepared.body)
            return True
        return await self._answer(route, access, common, degraded, scope, headers, send)

    async def _answer(
        self,
        route: Route,
        access: Access,
        common: Common,
        degraded: int | None,
        scope: Scope,
        headers: Headers,
        send: Send,
    ) -> bool:
        try:
            wanted = read_min_revision(_text(headers, b"x-burgee-min-revision"))
            answer = route.answer(await self._reached(access, wanted), scope, headers)
        except ValidationError:
            return False
        except RevisionNotReached as late:
            answer = _detail(503, late, late.retry_after_seconds)
        more = {} if degraded is None else {payloads.DEGRADED_HEADER: str(degraded)}
        await _send(send, common, answer, more)
        return True

    async def _reached(self, access: Access, wanted: int | None) -> Access:
        if wanted is None or access.snapshot.name.number >= wanted:
            return access
        snapshot = await self._live.reach(access.snapshot.environment_id, wanted)
        return Access(snapshot, access.is_server_side)


def _flags(access: Access, scope: Scope, headers: Headers) -> SdkResponse:
    known = _text(headers, b"if-none-match")
    name = read_query(scope["query_string"]).get("feature") if scope["query_string"] else None
    if name:
        return payloads.flag(access.snapshot, name, to_server=access.is_server_side, if_none_match=known)
    return payloads.flags(access.snapshot, to_server=access.is_server_side, if_none_match=known)


def _document(access: Access, scope: Scope, headers: Headers) -> SdkResponse:
    return payloads.document(
        access.snapshot,
        if_modified_since=_text(headers, b"if-modified-since"),
        if_none_match=_text(headers, b"if-none-match"),
        now=datetime.now(UTC),
    )


def _text(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def _detail(status: int, reason: Exception, retry_after_seconds: int | None = None) -> SdkResponse:
    headers = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
    return SdkResponse(status, encode({"detail": str(reason)}), headers)


class Prepared(NamedTuple):
    """An answer as bytes, and as the messages that say the same."""

    head: bytes
    start: Message
    body: Message


def _prepared(route: Route, access: Access, common: Common, scope: Scope, headers: Headers) -> Prepared:
    """Return the answer to a request that asks for nothing in particular."""
    known = access.snapshot.prepared
    kind = route.name, access.is_server_side, common
    prepared: Prepared | None = known.get(kind)
    if prepared is None:
        start, body = _messages(common, route.answer(access, scope, headers))
        prepared = Prepared(head_of(start["status"], start["headers"]), start, body)
        if len(known) < _MOST_PREPARED:
            known[kind] = prepared
    return prepared


async def _send(send: Send, common: Common, answer: SdkResponse, more: dict[str, str] | None = None) -> None:
    for message in _messages(common, answer, more or {}):
        await send(message)


def _messages(
    common: Common, answer: SdkResponse, more: dict[str, str] | None = None
) -> tuple[Message, Message]:
    own = {**answer.headers, **(more or {})}
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in own.items()]
    if answer.status != 304:
        headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer.body))]
    return (
        {"type": "http.response.start", "status": answer.status, "headers": [*headers, *common.pairs]},
        {"type": "http.response.body", "body": answer.body},
    )

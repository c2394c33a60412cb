"""`flags/` and `environment-document/`: what is the same for everyone who holds the key."""

from collections.abc import Callable
from datetime import UTC, datetime

from rest_framework.exceptions import ValidationError

from analytics.models import Resource
from core.asgi.rehearsal import Common
from core.asgi.request import Request
from sdk import payloads, usage
from sdk.authentication import KEY_HEADER
from sdk.inputs import read_query
from sdk.keys import MISSING_KEY, KeyRefused, is_server_side
from sdk.lane.answers import REFUSALS, Answers, Whole, accepts_gzip, refused
from sdk.payloads import SdkResponse
from sdk.snapshots import Access

KEY = KEY_HEADER.lower().encode()
_METHODS = "GET, HEAD, OPTIONS"
# With one of these the answer isn't always the same.
_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"x-burgee-min-revision"})
# With one of these a request has a body, or wants to be told to go on.
_WITH_BODY = frozenset({b"transfer-encoding", b"expect"})

# Behind one host name and without browsers of many origins there are one or two of each.
_MOST_PREPARED = 16


class Reads:
    """Answers at one path. What is asked plainly is answered with bytes that were put together before.

    Args:
        is_for_servers: whether client-side keys are refused.
        resource: what requests are counted for.
        answer: makes the answer; raises ValidationError where Django should tell what is wrong.
    """

    def __init__(
        self,
        answers: Answers,
        resource: Resource,
        answer: Callable[[Access, Request], SdkResponse],
        *,
        is_for_servers: bool = False,
    ) -> None:
        self._answers = answers
        self._resource = resource
        self._answer = answer
        self._is_for_servers = is_for_servers

    async def __call__(self, request: Request) -> bool:
        scope, headers = request.scope, request.headers
        method = scope["method"]
        if method == "OPTIONS":
            return await self._answers.preflight(request)
        if (
            (method != "GET" and method != "HEAD")
            or not _WITH_BODY.isdisjoint(headers)
            or headers.get(b"content-length", b"0") != b"0"
        ):
            return False
        common = self._answers.common(request, _METHODS)
        if common is None:
            return False
        try:
            key = headers.get(KEY, b"").decode("latin-1")
            if self._is_for_servers and not is_server_side(key):
                raise KeyRefused(MISSING_KEY)
            access = self._answers.opened(request, key) or await self._answers.open(request, key)
            if scope["query_string"] or self._answers.degraded_seconds(access) is not None:
                await self._answers.send(request, common, self._answer(access, request), access)
            elif not _CONDITIONS.isdisjoint(headers):
                await self._answers.send(request, common, self._answer(access, request))
            else:
                whole = self._prepared(request, common, access)
                if not self._answers.sent(request, whole):
                    await self._answers.send_messages(request, whole)
        except ValidationError:
            return False
        except REFUSALS as refusal:
            await self._answers.send(request, common, refused(refusal))
            return True
        usage.count(access.snapshot.environment_id, self._resource, headers)
        return True

    def _prepared(self, request: Request, common: Common, access: Access) -> Whole:
        known = access.snapshot.prepared
        kind = self, access.is_server_side, common, accepts_gzip(request)
        whole: Whole | None = known.get(kind)
        if whole is None:
            whole = self._answers.whole(request, common, self._answer(access, request))
            if len(known) < _MOST_PREPARED:
                known[kind] = whole
        return whole


def flags(access: Access, request: Request) -> SdkResponse:
    known = request.text(b"if-none-match")
    query = request.scope["query_string"]
    name = read_query(query).get("feature") if query else None
    if name:
        return payloads.flag(access.snapshot, name, to_server=access.is_server_side, if_none_match=known)
    return payloads.flags(access.snapshot, to_server=access.is_server_side, if_none_match=known)


def document(access: Access, request: Request) -> SdkResponse:
    return payloads.document(
        access.snapshot,
        if_modified_since=request.text(b"if-modified-since"),
        if_none_match=request.text(b"if-none-match"),
        now=datetime.now(UTC),
    )

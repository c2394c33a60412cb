"""Streams, which only the lane has: Django's door would keep a thread for each."""

import asyncio

from rest_framework.exceptions import ValidationError

from core.asgi.rehearsal import Common
from core.asgi.request import Request
from core.asgi.streamed import STREAMED_BODY, StreamedBody
from core.asgi.types import Message
from sdk.contents import encode
from sdk.inputs import read_query
from sdk.keys import KeyRefused, KeyUnchecked
from sdk.lane.answers import Answers, beside, refused
from sdk.payloads import SdkResponse
from sdk.snapshots import Snapshot
from sdk.streams.access import StreamRefused, check_environment, check_key
from sdk.streams.events import Wording
from sdk.streams.hub import Stream, Streams, TooManyStreams

_METHODS = "GET, HEAD, OPTIONS"
_HEADERS = {
    b"content-type": b"text/event-stream",
    b"cache-control": b"no-cache",
    b"x-accel-buffering": b"no",
}


class StreamsBelow:
    """Answers with the streams whose paths begin alike.

    Args:
        begin: what stands before the key.
        end: what stands behind it.
        wording: how the streams tell of changes.
    """

    def __init__(self, answers: Answers, streams: Streams, *, begin: str, end: str, wording: Wording) -> None:
        self._answers = answers
        self._streams = streams
        self._begin = begin
        self._end = end
        self._wording = wording
        self._like_all = f"{begin}key{end}"

    async def __call__(self, request: Request) -> bool:
        method = request.scope["method"]
        if method == "OPTIONS":
            return await self._answers.preflight(request, path=self._like_all)
        key = self._key_in(request.scope["path"])
        body: StreamedBody | None = request.scope.get("extensions", {}).get(STREAMED_BODY)
        if key is None or (method != "GET" and method != "HEAD") or body is None:
            return False
        common = self._answers.common(request, _METHODS, path=self._like_all)
        if common is None:
            return False
        try:
            if method == "HEAD":
                await self._open(key)
                await request.send(_start(common))
                await request.send({"type": "http.response.body", "body": b""})
            else:
                await self._stream(request, common, await self._listen(request, key, body))
        except StreamRefused as refusal:
            answer = SdkResponse(refusal.status, encode({"detail": str(refusal)}))
            await self._answers.send(request, common, answer)
        except (KeyUnchecked, TooManyStreams) as later:
            await self._answers.send(request, common, refused(later))
        return True

    def _key_in(self, path: str) -> str | None:
        key = path.removeprefix(self._begin).removesuffix("/")
        if not key.endswith(self._end):
            return None
        return key.removesuffix(self._end) or None

    async def _open(self, key: str) -> Snapshot:
        check_key(key)
        try:
            access = await self._answers.loaded(key)
        except KeyRefused as refusal:
            raise StreamRefused.because_of(refusal) from refusal
        check_environment(access.snapshot)
        return access.snapshot

    async def _listen(self, request: Request, key: str, body: StreamedBody) -> Stream:
        leaving: asyncio.Event | None = request.scope["state"].get("leaving")
        return self._streams.add(await self._open(key), key, self._wording, body, leaving)

    async def _stream(self, request: Request, common: Common, stream: Stream) -> None:
        try:
            await request.send(_start(common))
            self._streams.greet(stream, _last_event_id(request))
            _forget(request)
            while (await request.receive())["type"] != "http.disconnect":
                pass
        finally:
            self._streams.remove(stream)


def _start(common: Common) -> Message:
    headers = [*_HEADERS.items(), *beside(common, _HEADERS).pairs]
    return {"type": "http.response.start", "status": 200, "headers": headers}


def _last_event_id(request: Request) -> str | None:
    """Return which event a client that comes back has had last, as browsers say it or their libraries."""
    header = request.text(b"last-event-id")
    if header is not None or not request.scope["query_string"]:
        return header
    try:
        return read_query(request.scope["query_string"]).get("lastEventId")
    except ValidationError:
        return None


def _forget(request: Request) -> None:
    """Drop what the request said: of thousands of streams it would be a third of what they take."""
    request.headers.clear()
    request.scope["headers"] = []
    del request.scope["extensions"], request.scope["state"]

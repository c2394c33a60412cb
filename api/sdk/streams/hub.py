"""Who listens to which environment in this worker, and telling them.

A stream is nearly nothing: its connection, and which revision it was told of last. There is no queue, for
only the latest revision matters, and no task that waits for a reader: one who is slow is cut off by
`StreamedBody`, and asks anew. One task tells of changes and one keeps idle streams alive, both in
small steps between which the loop answers others.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from django.conf import settings

from core.asgi.streamed import StreamedBody
from documents.rows import RevisionName
from sdk.live import LiveSnapshots
from sdk.snapshots import Snapshot
from sdk.streams.access import opens_streams
from sdk.streams.events import GREETING, HEARTBEAT, WORDINGS, Wording, come_back

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
# When readers come back whom the end of a process has cut off: not all at once.
COME_BACK_MILLISECONDS = 500, 5000
# How many streams are written to before others have their turn: about half a millisecond.
STEP = 50
_RETRY_SECONDS = 0.2


class TooManyStreams(Exception):
    """This worker holds as many streams as it may.

    Attributes:
        retry_after_seconds: when to ask again.
    """

    retry_after_seconds = 5

    def __init__(self) -> None:
        super().__init__("There are too many streams. Try again.")


@dataclass(slots=True, eq=False)
class Stream:
    """One who listens.

    Attributes:
        key: what opened it, and must go on opening it.
        told: the revision that the reader has heard of last, or begun with; None: it has missed some.
    """

    channel: "Channel"
    key: str
    wording: Wording
    body: StreamedBody
    told: RevisionName | None


@dataclass(frozen=True, slots=True)
class News:
    """A revision as streams are told of it; holds nothing of the snapshot.

    Attributes:
        name: None: the environment is gone.
        keys: which open a stream of this environment.
    """

    name: RevisionName | None
    chunks: Mapping[Wording, bytes]
    keys: frozenset[str]


@dataclass(slots=True, eq=False)
class Channel:
    """The streams of one environment, and what is new there."""

    environment_id: int
    news: News
    streams: set[Stream]


@dataclass(slots=True)
class StreamCounts:
    """What happened since the start; for metrics."""

    refused: int = 0
    dropped: int = 0
    told: int = 0


_GONE = News(None, {}, frozenset())


class Streams:
    """All streams of one worker, from `running`'s start to its end.

    Args:
        live: tells of changes.
        most: how many streams there may be.
    """

    def __init__(self, live: LiveSnapshots, *, most: int | None = None) -> None:
        self._live = live
        self._most = settings.MAX_STREAMS if most is None else most
        self._channels: dict[int, Channel] = {}
        self._untold: dict[int, Channel] = {}  # in the order of their news
        self._has_untold = asyncio.Event()
        self._size = 0
        self._ending: asyncio.Task[None] | None = None
        self._is_leaving = False
        self.counts = StreamCounts()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell of changes inside the block."""
        self._live.on_change.append(self._changed)
        self._live.on_end.append(self._gone)
        tasks = [asyncio.create_task(_repeat(work)) for work in (self._tell, self._keep_alive)]
        try:
            yield
        finally:
            self._live.on_change.remove(self._changed)
            self._live.on_end.remove(self._gone)
            tasks += [self._ending] if self._ending else []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def add(
        self,
        snapshot: Snapshot,
        key: str,
        wording: Wording,
        body: StreamedBody,
        leaving: asyncio.Event | None,
    ) -> Stream:
        """Listen for a reader whose answer is about to start, until `remove`.

        Args:
            snapshot: where the reader begins. It is not kept: streams live longer than revisions.
            leaving: set when the process is about to end, and all streams with it.

        Raises:
            TooManyStreams: answer 503 with its message and `Retry-After`.
        """
        if self._size >= self._most:
            self.counts.refused += 1
            raise TooManyStreams
        if leaving is not None and self._ending is None:
            self._is_leaving = leaving.is_set()
            self._ending = asyncio.create_task(self._end(leaving))
        channel = self._channels.get(snapshot.environment_id)
        if channel is None:
            channel = Channel(snapshot.environment_id, _news_of(snapshot), set())
            self._channels[channel.environment_id] = channel
            self._live.watch(snapshot)
        stream = Stream(channel, key, wording, body, snapshot.name)
        channel.streams.add(stream)
        self._size += 1
        return stream

    def remove(self, stream: Stream) -> None:
        channel = stream.channel
        channel.streams.remove(stream)
        self._size -= 1
        if not channel.streams:
            del self._channels[channel.environment_id]
            self._untold.pop(channel.environment_id, None)
            self._live.unwatch(channel.environment_id)

    def greet(self, stream: Stream, last_event_id: str | None) -> None:
        """Begin: with a comment, and at once with an event for a reader who comes back and has missed one.

        Who comes while the process ends is told to come back: after another answer than this, browsers don't.
        """
        stream.body.write(GREETING)
        if self._is_leaving:
            self._dismiss(stream)
            return
        if last_event_id and last_event_id != str(stream.told):
            stream.told = None
        self._tell_one(stream)

    def state(self) -> dict[str, float]:
        """Return what metrics show."""
        return {
            "streams": self._size,
            "streams_refused": self.counts.refused,
            "streams_dropped": self.counts.dropped,
            "stream_events": self.counts.told,
        }

    # --------------------------------------------------------------------------------------------

    def _changed(self, snapshot: Snapshot) -> None:
        if self._is_leaving:  # whoever isn't dismissed yet still is to be
            return
        channel = self._channels.get(snapshot.environment_id)
        if channel is not None and channel.news.name != snapshot.name:
            self._has_news(channel, _news_of(snapshot))

    def _gone(self, environment_id: int) -> None:
        channel = self._channels.get(environment_id)
        if channel is not None:
            self._has_news(channel, _GONE)

    def _has_news(self, channel: Channel, news: News) -> None:
        channel.news = news
        self._untold[channel.environment_id] = channel
        self._has_untold.set()

    async def _tell(self) -> None:
        await self._has_untold.wait()
        for number, stream in enumerate(self._all_untold(), 1):
            self._tell_one(stream)
            if number % STEP == 0:
                await asyncio.sleep(0)
        self._has_untold.clear()

    def _all_untold(self) -> Iterator[Stream]:
        # What comes meanwhile is told to those whose turn is still to come, and to all in another round.
        while self._untold:
            channel = self._untold.pop(next(iter(self._untold)))
            yield from tuple(channel.streams)

    def _tell_one(self, stream: Stream) -> None:
        news = stream.channel.news
        if stream.key not in news.keys:
            self._dismiss(stream)
        elif news.name is not None and stream.told != news.name and stream.body.is_open:
            stream.told = news.name
            self._write(stream, news.chunks[stream.wording])
            self.counts.told += 1

    def _dismiss(self, stream: Stream) -> None:
        if self._is_leaving:
            self._write(stream, come_back(random.randint(*COME_BACK_MILLISECONDS)))  # noqa: S311  # no secret
        stream.body.end()

    def _write(self, stream: Stream, chunk: bytes) -> None:
        if not stream.body.write(chunk):
            self.counts.dropped += 1

    async def _keep_alive(self) -> None:
        streams = list(self._all())
        steps = len(streams) // STEP + 1
        for start in range(0, steps * STEP, STEP):
            for stream in streams[start : start + STEP]:
                self._write(stream, HEARTBEAT)
            await asyncio.sleep(HEARTBEAT_SECONDS / steps)

    async def _end(self, leaving: asyncio.Event) -> None:
        await leaving.wait()
        self._is_leaving = True
        for environment_id in list(self._channels):
            self._gone(environment_id)

    def _all(self) -> Iterable[Stream]:
        for channel in self._channels.values():
            yield from channel.streams


async def _repeat(work: Callable[[], Awaitable[None]]) -> None:
    """Do something over and over, and not end because one stream could not be written to."""
    while True:
        try:
            await work()
        except Exception:
            logger.exception("Streams could not be written to.")
            await asyncio.sleep(_RETRY_SECONDS)


def _news_of(snapshot: Snapshot) -> News:
    chunks = {wording: wording(snapshot) for wording in WORDINGS}
    return News(snapshot.name, chunks, opens_streams(snapshot))

"""What is written to streams, to the byte.

Not all who listen read server-sent events as the standard has them. Of the Flagsmith SDKs some match `data: `
with its one space at the start of a line, and take each such line for a JSON object with a number
`updated_at`, one of them only if it has a decimal point. Some take what arrives in one piece for whole
events. All skip comments, and lines that they don't know, such as `id: `.

OpenFeature's providers expect another event, so they have a stream of their own.
"""

from collections.abc import Callable

from core.asgi.streamed import chunk_of
from sdk.contents import encode
from sdk.snapshots import Snapshot

# How a stream tells of a revision; in one piece.
Wording = Callable[[Snapshot], bytes]

GREETING = chunk_of(b": connected\n\n")
# Proxies cut streams on which nothing comes.
HEARTBEAT = chunk_of(b": keepalive\n\n")


def come_back(milliseconds: int) -> bytes:
    """Tell a reader, who is about to be cut off, how long to wait before connecting again."""
    return chunk_of(b"retry: %d\n\n" % milliseconds)


def for_sdks(snapshot: Snapshot) -> bytes:
    """Tell Flagsmith's SDKs: `{"updated_at": 1769940000.123456, "revision": 17}`.

    `updated_at` is the text of the header that the SDK compares it with.
    """
    data = f'{{"updated_at": {snapshot.updated_at_seconds}, "revision": {snapshot.name.number}}}'
    return _event(snapshot, "environment_updated", data)


def for_ofrep(snapshot: Snapshot) -> bytes:
    """Tell OpenFeature's providers: `{"type":"refetchEvaluation","lastModified":1769940000}`.

    Without an ETag: the one of an answer depends on whose flags it has.
    """
    data = {"type": "refetchEvaluation", "lastModified": int(snapshot.updated_at.timestamp())}
    return _event(snapshot, "message", encode(data).decode())


def _event(snapshot: Snapshot, name: str, data: str) -> bytes:
    # Clients send the id back when they connect again.
    return chunk_of(f"id: {snapshot.name}\nevent: {name}\ndata: {data}\n\n".encode())


WORDINGS: tuple[Wording, ...] = (for_sdks, for_ofrep)

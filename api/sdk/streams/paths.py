"""Where streams are. Their paths end without a slash."""

from urllib.parse import quote

from sdk.keys import is_server_side
from sdk.snapshots import Snapshot

# SDKs join them to the base they were given, which may be the server's or the API's.
BASES = ("/", "/api/v1/")
SDK_STREAMS = "sse/environments/"
SDK_STREAM_END = "/stream"
OFREP_STREAMS = "ofrep/v1/events/"


def event_stream_path(snapshot: Snapshot) -> str:
    """Return the path of the stream that tells OpenFeature's providers of this environment.

    With the key that may be seen by anyone, whoever asks: an environment has exactly one.
    """
    key = next(name for name in snapshot.keys if not is_server_side(name))
    return f"/{OFREP_STREAMS}{quote(key, safe='')}"

"""What opens a stream: the client-side key in its path, for browsers can't send it in a header.

A server-side key doesn't, though it is one of the environment's: paths stand in logs and histories.
"""

from sdk.keys import NOT_SERVING, UNKNOWN_KEY, KeyRefused, is_server_side
from sdk.snapshots import Snapshot

SWITCHED_OFF = "Realtime updates are switched off for this project."


class StreamRefused(Exception):
    """There is no stream here. The message is for the SDK, which goes on polling.

    Attributes:
        status: what to answer: 404, or 403 where nothing is served at all.
    """

    def __init__(self, detail: str, status: int = 404) -> None:
        super().__init__(detail)
        self.status = status

    @classmethod
    def because_of(cls, refused: KeyRefused) -> "StreamRefused":
        if str(refused) == NOT_SERVING:
            return cls(NOT_SERVING, 403)
        return cls(UNKNOWN_KEY)


def check_key(key: str) -> None:
    """Raises StreamRefused: no key like this opens a stream."""
    if is_server_side(key):
        raise StreamRefused(UNKNOWN_KEY)


def check_environment(snapshot: Snapshot) -> None:
    """Raises StreamRefused: streams are switched off."""
    if not snapshot.settings.streams_changes:
        raise StreamRefused(SWITCHED_OFF)


def opens_streams(snapshot: Snapshot) -> frozenset[str]:
    """Return the keys that open streams of the environment."""
    if not (snapshot.settings.streams_changes and snapshot.settings.serves_flags):
        return frozenset()
    return frozenset(name for name in snapshot.keys if not is_server_side(name))

"""What has been counted and isn't written yet: in memory, by key, within a bound.

Not for several threads at once: the event loop counts, and threads hand over to it (see `analytics.buffer`),
so that counting costs a request next to nothing. For that a bucket is also told by its number, quarters of an
hour since 1970.
"""

from time import time
from typing import Generic, TypeVar

from django.conf import settings

from analytics.models import BUCKET_MINUTES

Key = TypeVar("Key", bound=tuple[object, ...])

BUCKET_SECONDS = BUCKET_MINUTES * 60
MOST_CLIENTS = 100

# Who asks: the labels of `RequestBucket`, with tabs between them. One text, because counting hashes it.
Client = str
OTHER_CLIENTS: Client = "other\tother\tother"

# Environment, bucket, resource, client.
RequestKey = tuple[int, float, int, Client]
# Environment, bucket, feature; and for whom and whether it was on, where that is told.
EvaluationKey = tuple[int, float, str, str | None, bool | None]


class Tally(Generic[Key]):
    """Adds up counts by key. Keys that don't fit are folded into coarser ones, or dropped.

    Args:
        most: how much the keys may take together; most of them take 1.

    Attributes:
        dropped: how many counts were dropped.
    """

    def __init__(self, *, most: int | None = None) -> None:
        self._most = most or settings.MAX_WAITING_COUNTS
        self._counts: dict[Key, int] = {}
        self._size = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._counts)

    def take(self) -> dict[Key, int]:
        """Return what has been counted, and begin anew."""
        taken, self._counts, self._size = self._counts, {}, 0
        return taken

    def _add(self, key: Key, count: int) -> None:
        try:
            self._counts[key] += count
        except KeyError:
            self._add_new(key, count)

    def _add_new(self, key: Key, count: int) -> None:
        key = self._fitting(key)
        if key in self._counts:
            self._counts[key] += count
        elif self._size < self._most:
            self._counts[key] = count
            self._size += self._size_of(key)
        else:
            self.dropped += count

    def _fitting(self, key: Key) -> Key:
        """Return the key itself, or a coarser one where there are too many like it."""
        raise NotImplementedError

    def _size_of(self, key: Key) -> int:
        return 1


class RequestTally(Tally[RequestKey]):
    """Counts requests. It tells some clients of an environment apart in a bucket, and the rest not."""

    def __init__(self, *, most: int | None = None) -> None:
        super().__init__(most=most)
        self._bucket = 0.0
        self._clients: dict[int, set[Client]] = {}

    def add(self, environment_id: int, resource: int, client: Client) -> None:
        key = environment_id, time() // BUCKET_SECONDS, resource, client
        try:  # as `_add`, without the call: a flags request takes microseconds
            self._counts[key] += 1
        except KeyError:
            self._add_new(key, 1)

    def _fitting(self, key: RequestKey) -> RequestKey:
        environment_id, bucket, resource, client = key
        if bucket != self._bucket:
            self._bucket, self._clients = bucket, {}
        told_apart = self._clients.setdefault(environment_id, set())
        if client not in told_apart:
            if len(told_apart) >= MOST_CLIENTS or self._size * 2 >= self._most:
                return environment_id, bucket, resource, OTHER_CLIENTS
            told_apart.add(client)
        return key


class EvaluationTally(Tally[EvaluationKey]):
    """Counts evaluations of features. Identities that are too many are counted for the feature only."""

    def add(self, environment_id: int, feature_name: str, count: int) -> None:
        self._add((environment_id, time() // BUCKET_SECONDS, feature_name, None, None), count)

    def add_for_identity(
        self, environment_id: int, feature_name: str, identifier: str, enabled: bool, count: int
    ) -> None:
        """Add evaluations for an identity or, with an empty identifier, for nobody in particular."""
        key = environment_id, time() // BUCKET_SECONDS, feature_name, identifier, enabled
        self._add(key, count)

    def _fitting(self, key: EvaluationKey) -> EvaluationKey:
        environment_id, bucket, name, identifier, _ = key
        if identifier and self._size * 2 >= self._most:
            return environment_id, bucket, name, None, None
        return key

    def _size_of(self, key: EvaluationKey) -> int:
        return 1 + len(key[3] or "") // 100

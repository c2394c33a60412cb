"""Which database has what, and who reads it there.

- `default` has everything, and is where everything is written and read that isn't named here.
- `replica_1`, … and `cross_region_replica_1`, … are copies of it. Nothing goes there by itself: whoever can
  do with what a copy has asks `Replicas`.
- `analytics`, where there is one, has the counts of requests and evaluations. The tables for them are in
  `default`, too, empty: who gives that database up again has somewhere to count.
- `direct` is `default` without a pooler in between, for what needs a session of the server.
"""

import logging
import random
import time
from collections.abc import Iterator, Sequence
from itertools import count
from threading import Lock, Thread
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, models

logger = logging.getLogger(__name__)

ANALYTICS, DIRECT = "analytics", "direct"
_REPLICA, _CROSS_REGION_REPLICA = "replica_", "cross_region_replica_"
# How long a replica that doesn't answer is left alone: doubled with each time in a row.
_LEFT_ALONE_SECONDS, _LONGEST_LEFT_ALONE_SECONDS = 5.0, 60.0


def migrated_databases() -> list[str]:
    """Return the databases that have tables of their own."""
    return [each for each in (DEFAULT_DB_ALIAS, ANALYTICS) if each in connections.databases]


def counts_database() -> str:
    """Return the database in which requests and evaluations are counted."""
    return ANALYTICS if ANALYTICS in connections.databases else DEFAULT_DB_ALIAS


class AnalyticsRouter:
    """Counts go to a database of their own, if there is one, and nothing else does.

    But for what a migration says is shared, with the hint `is_shared`.
    """

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        return self._database_of(model)

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        return self._database_of(model)

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool | None:
        return None if self._database_of(one) == self._database_of(other) else False

    def allow_migrate(self, database: str, app_label: str, **hints: Any) -> bool | None:
        if database == ANALYTICS:
            return app_label == ANALYTICS or bool(hints.get("is_shared"))
        return None

    def _database_of(self, model: type[models.Model] | models.Model) -> str | None:
        # Of an object that may be a lazy one, whose type is no model.
        is_counts = model._meta.app_label == ANALYTICS and ANALYTICS in connections.databases
        return ANALYTICS if is_counts else None


class MainRouter:
    """Copies of the main database get their tables from it, and their rows belong with its rows."""

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool | None:
        return (_is_main(one._state.db) and _is_main(other._state.db)) or None

    def allow_migrate(self, database: str, app_label: str, **hints: Any) -> bool | None:
        return None if database in {DEFAULT_DB_ALIAS, ANALYTICS} else False


class Replicas:
    """The copies of the main database, for one reader: which to ask next, and which to leave alone.

    One that doesn't answer is left alone for a while, longer each time. Then a thread tries it that nobody
    waits for, and it is asked again once it has answered there.
    """

    def __init__(self) -> None:
        self._turns = count()
        self._lock = Lock()
        self._left_alone_until: dict[str, float] = {}
        self._failures: dict[str, int] = {}

    def to_ask(self) -> Iterator[str]:
        """Yield the replicas in the order in which they are to be asked, until one has answered.

        Those in other regions come only if none of the others has answered. Whoever asks one says how that
        went, by `answered` or `failed`, before taking the next.
        """
        turn = next(self._turns)
        for prefix in (_REPLICA, _CROSS_REGION_REPLICA):
            group = [each for each in connections.databases if each.startswith(prefix)]
            for alias in self._ordered(group, turn):
                if self._may_be_asked(alias):
                    yield alias
                    if not self._failures.get(alias):
                        return

    def answered(self, alias: str) -> None:
        with self._lock:
            self._failures.pop(alias, None)
            self._left_alone_until.pop(alias, None)

    def failed(self, alias: str, error: Exception) -> None:
        with self._lock:
            failures = self._failures[alias] = self._failures.get(alias, 0) + 1
            seconds = min(_LEFT_ALONE_SECONDS * 2 ** (failures - 1), _LONGEST_LEFT_ALONE_SECONDS)
            self._left_alone_until[alias] = time.monotonic() + seconds
        logger.warning("The database %s is left alone for %g seconds: %s", alias, seconds, error)

    def away(self) -> int:
        """Return how many have failed when they were last asked."""
        return len(self._failures)

    def _ordered(self, group: Sequence[str], turn: int) -> list[str]:
        if settings.REPLICA_READ_STRATEGY == "SEQUENTIAL" and group:
            first = turn % len(group)
            return [*group[first:], *group[:first]]
        return random.sample(group, len(group))

    def _may_be_asked(self, alias: str) -> bool:
        with self._lock:
            if not self._failures.get(alias):
                return True
            now = time.monotonic()
            if self._left_alone_until[alias] <= now:
                self._left_alone_until[alias] = now + _LEFT_ALONE_SECONDS  # one thread is enough
                Thread(target=self._try, args=[alias], name=f"trying {alias}", daemon=True).start()
            return False

    def _try(self, alias: str) -> None:
        connection = connections.create_connection(alias)
        try:
            connection.connect()  # a server that is silent doesn't let anybody in
        except Exception as error:  # noqa: BLE001 - whatever it is, it has failed
            self.failed(alias, error)
        else:
            self.answered(alias)
        finally:
            connection.close()


def _is_main(alias: str | None) -> bool:
    return alias == DEFAULT_DB_ALIAS or (alias or "").startswith((_REPLICA, _CROSS_REGION_REPLICA))

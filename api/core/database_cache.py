"""A cache of bytes in a table of the main database, which `createcachetable` makes.

In the table of Django's own, which pickles: whoever could write a row there could run code here. It is the
primary that is asked, since what a replica has not heard of yet would be as good as lost.
"""

import base64
import binascii
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import BaseDatabaseCache
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.utils import CursorWrapper

# How many writes of a process come between two looks at how many entries there are.
_WRITES_BETWEEN_COUNTS = 100

_GET = """
SELECT cache_key, value FROM {table} WHERE cache_key = ANY(%(keys)s) AND expires > clock_timestamp()
"""
# In the order of keys, so that two who write the same can't each wait for the other.
_SET = """
INSERT INTO {table} (cache_key, value, expires)
SELECT key, value, {expires} FROM unnest(%(keys)s::text[], %(values)s::text[]) AS entry (key, value)
ORDER BY key
ON CONFLICT (cache_key) DO UPDATE SET value = EXCLUDED.value, expires = EXCLUDED.expires
"""
_ADD = """
INSERT INTO {table} AS kept (cache_key, value, expires)
SELECT key, value, {expires} FROM unnest(%(keys)s::text[], %(values)s::text[]) AS entry (key, value)
ON CONFLICT (cache_key) DO UPDATE SET value = EXCLUDED.value, expires = EXCLUDED.expires
WHERE kept.expires <= clock_timestamp()
"""
_TOUCH = """
UPDATE {table} SET expires = {expires} WHERE cache_key = ANY(%(keys)s) AND expires > clock_timestamp()
"""
_DELETE = "DELETE FROM {table} WHERE cache_key = ANY(%(keys)s)"
_CLEAR = "DELETE FROM {table}"
_EXPIRES = """
coalesce(clock_timestamp() + make_interval(secs => %(seconds)s::float), timestamptz '9999-12-31 00:00+00')
"""
# With each write some go that have expired, and now and then those that are too many. What an index looks for
# mustn't change while it does.
_SWEEP = """
DELETE FROM {table} WHERE cache_key IN (
    SELECT cache_key FROM {table} WHERE expires < statement_timestamp()
    ORDER BY expires LIMIT 100 FOR UPDATE SKIP LOCKED
)
"""
_CULL = """
DELETE FROM {table} WHERE cache_key IN (
    SELECT cache_key FROM {table} ORDER BY expires
    LIMIT (SELECT greatest(count(*) - %(most)s, 0) FROM {table}) FOR UPDATE SKIP LOCKED
)
"""


class BytesInDatabase(BaseDatabaseCache):
    """As Django's caches are, for bytes only."""

    def __init__(self, table: str, parameters: dict[str, Any]) -> None:
        super().__init__(table, parameters)
        self._table_name = table
        self._writes = 0

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self.get_many([key], version).get(key, default)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        names = {self.make_and_validate_key(key, version=version): key for key in keys}
        with self._asking(_GET, {"keys": list(names)}) as cursor:
            found = {names[name]: _decoded(text) for name, text in cursor.fetchall()}
        return {key: value for key, value in found.items() if value is not None}

    def set(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        self.set_many({key: value}, timeout, version)

    def set_many(
        self,
        data: Mapping[Any, Any],
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> list[Any]:
        self._write(_SET, data, timeout, version)
        return []

    def add(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return self._write(_ADD, {key: value}, timeout, version) == 1

    def touch(self, key: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        values = {"keys": [self.make_and_validate_key(key, version=version)]}
        with self._asking(_TOUCH, {**values, "seconds": self._seconds(timeout)}) as cursor:
            return bool(cursor.rowcount == 1)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return self.get(key, version=version) is not None

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._delete([key], version) == 1

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        self._delete(keys, version)

    def clear(self) -> None:
        with self._asking(_CLEAR, {}):
            pass

    def _delete(self, keys: Iterable[Any], version: int | None) -> int:
        names = sorted(self.make_and_validate_key(key, version=version) for key in keys)
        with self._asking(_DELETE, {"keys": names}) as cursor:
            return int(cursor.rowcount)

    def _write(self, sql: str, data: Mapping[Any, Any], timeout: float | None, version: int | None) -> int:
        entries = {
            self.make_and_validate_key(key, version=version): base64.b64encode(value).decode("ascii")
            for key, value in data.items()
        }
        values = {"keys": list(entries), "values": list(entries.values()), "seconds": self._seconds(timeout)}
        with self._asking(sql, values) as cursor:
            written = int(cursor.rowcount)
        self._writes += 1
        if self._writes % _WRITES_BETWEEN_COUNTS == 0:
            with self._asking(_CULL, {"most": self._max_entries}):
                pass
        with self._asking(_SWEEP, {}):
            return written

    def _seconds(self, timeout: float | None) -> float | None:
        until = self.get_backend_timeout(timeout)
        return None if until is None else until - time.time()

    @contextmanager
    def _asking(self, sql: str, values: Mapping[str, Any]) -> Iterator[CursorWrapper]:
        """Run a statement; a failure leaves a transaction that may be open as it was."""
        connection = connections[DEFAULT_DB_ALIAS]
        table = connection.ops.quote_name(self._table_name)
        statement = sql.format(table=table, expires=_EXPIRES)
        if not connection.in_atomic_block:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                yield cursor
            return
        with transaction.atomic(using=DEFAULT_DB_ALIAS), connection.cursor() as cursor:
            cursor.execute(statement, values)
            yield cursor


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None

"""Caches that hold bytes of ours, or counters: never unpickled, and never waited for.

Django's back ends pickle, and unpickling runs what it reads.
"""

import re
from collections.abc import Mapping
from typing import Any

REDIS = "django.core.cache.backends.redis.RedisCache"
_DJANGO_REDIS = "django_redis.cache.RedisCache"
MEMCACHED = "django.core.cache.backends.memcached.PyMemcacheCache"
DATABASE = "django.core.cache.backends.db.DatabaseCache"
LOCAL_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
DUMMY = "django.core.cache.backends.dummy.DummyCache"


class RawBytes:
    """A serializer for Django's Redis back end, and a serde for its Memcached one. Bytes only."""

    def dumps(self, value: bytes) -> bytes:
        return _bytes(value)

    def loads(self, data: bytes) -> bytes:
        return data

    def serialize(self, key: object, value: bytes) -> tuple[bytes, int]:
        return _bytes(value), 0

    def deserialize(self, key: object, value: bytes, flags: int) -> bytes:
        return value


class Numbers:
    """The same for whole numbers, as counters are."""

    def dumps(self, value: int) -> int:
        return value

    def loads(self, data: bytes) -> int:
        return int(data)

    def serialize(self, key: object, value: int) -> tuple[bytes, int]:
        return b"%d" % value, 0

    def deserialize(self, key: object, value: bytes, flags: int) -> int:
        return int(value)


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("This cache keeps bytes only.")
    return value


_SECONDS_TO_WAIT = 0.1
# Django's own bound is 300, which is little for large contents in pieces. Redis and Memcached have their own.
_MOST_ENTRIES = 10_000

# Back ends that can be told so; others keep bytes in their own way.
_OPTIONS: dict[str, dict[str, Any]] = {
    REDIS: {
        "serializer": "core.caches.RawBytes",
        "socket_timeout": _SECONDS_TO_WAIT,
        "socket_connect_timeout": _SECONDS_TO_WAIT,
    },
    _DJANGO_REDIS: {
        "SERIALIZER": "core.caches.RawBytes",
        "SOCKET_TIMEOUT": _SECONDS_TO_WAIT,
        "SOCKET_CONNECT_TIMEOUT": _SECONDS_TO_WAIT,
    },
    MEMCACHED: {
        "serde": RawBytes(),
        "timeout": _SECONDS_TO_WAIT,
        "connect_timeout": _SECONDS_TO_WAIT,
        "no_delay": True,
        # A server that fails is an error, and is asked again soon. As the client has it by default, it would
        # answer for a minute, without a word, that nothing is there and nothing can be kept.
        "retry_attempts": 0,
        "dead_timeout": 2,
    },
    DATABASE: {"MAX_ENTRIES": _MOST_ENTRIES},
    LOCAL_MEMORY: {"MAX_ENTRIES": _MOST_ENTRIES},
}
_OF_NUMBERS: dict[str, dict[str, Any]] = {
    REDIS: {"serializer": "core.caches.Numbers"},
    _DJANGO_REDIS: {"SERIALIZER": "core.caches.Numbers"},
    MEMCACHED: {"serde": Numbers()},
}
# Not 0123456 nor 1e5, which say more than their number.
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
# Options whose digits are no number.
_TEXTS = {"username", "password"}
# Back ends that pickle whatever they are told, and what keeps bytes in the same place instead.
_INSTEAD = {DATABASE: "core.database_cache.BytesInDatabase"}


def bytes_cache(
    backend: str,
    location: str,
    seconds: int | None,
    *,
    options: Mapping[str, str] | None = None,
    prefix: str = "burgee",
) -> dict[str, Any]:
    """Return Django's settings of a cache.

    Args:
        seconds: for how long it keeps entries; None: until there is no more room.
        options: what an operator says of the back end, beside or instead of what is said here.
        prefix: what its keys begin with, since several caches may be in one place.
    """
    return {
        "BACKEND": _INSTEAD.get(backend, backend),
        "LOCATION": location,
        "TIMEOUT": seconds,
        "KEY_PREFIX": prefix,
        "OPTIONS": {**_OPTIONS.get(backend, {}), **_typed_options(options or {})},
    }


def kept_for(
    seconds: int | None,
    backend: str,
    location: str,
    *,
    options: Mapping[str, str] | None = None,
    prefix: str = "burgee",
) -> dict[str, Any]:
    """Return the settings of a cache that is off unless it is to keep entries for any time."""
    if seconds == 0 or backend == DUMMY:
        return {"BACKEND": DUMMY}
    return bytes_cache(backend, location, seconds, options=options, prefix=prefix)


def counting_cache(backend: str, location: str, options: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of a cache of counters."""
    known = {**_OPTIONS.get(backend, {}), **_OF_NUMBERS.get(backend, {})}
    return {"BACKEND": backend, "LOCATION": location, "OPTIONS": {**known, **_typed_options(options)}}


def _typed_options(options: Mapping[str, str]) -> dict[str, Any]:
    """Return options that were given as text as what clients take: numbers and truth values."""
    return {name: text if name.lower() in _TEXTS else _typed(text) for name, text in options.items()}


def _typed(text: str) -> str | int | float | bool:
    words = {"true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)

"""Caches that hold bytes of ours: never unpickled, and never waited for.

Django's back ends pickle, and unpickling runs what it reads.
"""

from typing import Any


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


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("This cache keeps bytes only.")
    return value


_SECONDS_TO_WAIT = 0.1

# Back ends that can be told so; others keep bytes in their own way.
_OPTIONS: dict[str, dict[str, Any]] = {
    "django.core.cache.backends.redis.RedisCache": {
        "serializer": "core.caches.RawBytes",
        "socket_timeout": _SECONDS_TO_WAIT,
        "socket_connect_timeout": _SECONDS_TO_WAIT,
    },
    "django_redis.cache.RedisCache": {
        "SERIALIZER": "core.caches.RawBytes",
        "SOCKET_TIMEOUT": _SECONDS_TO_WAIT,
        "SOCKET_CONNECT_TIMEOUT": _SECONDS_TO_WAIT,
    },
    "django.core.cache.backends.memcached.PyMemcacheCache": {
        "serde": RawBytes(),
        "timeout": _SECONDS_TO_WAIT,
        "connect_timeout": _SECONDS_TO_WAIT,
        "no_delay": True,
    },
}


def bytes_cache(backend: str, location: str, seconds: int) -> dict[str, Any]:
    """Return Django's settings of a cache that keeps entries for so many seconds."""
    return {
        "BACKEND": backend,
        "LOCATION": location,
        "TIMEOUT": seconds,
        "KEY_PREFIX": "burgee",
        "OPTIONS": _OPTIONS.get(backend, {}),
    }

"""Caches that hold bytes of ours: never unpickled, and never waited for."""

from typing import Any

from core.raw_bytes import RawBytes

_SECONDS_TO_WAIT = 0.1

# Back ends that can be told so; others keep bytes in their own way.
_OPTIONS: dict[str, dict[str, Any]] = {
    "django.core.cache.backends.redis.RedisCache": {
        "serializer": "core.raw_bytes.RawBytes",
        "socket_timeout": _SECONDS_TO_WAIT,
        "socket_connect_timeout": _SECONDS_TO_WAIT,
    },
    "django_redis.cache.RedisCache": {
        "SERIALIZER": "core.raw_bytes.RawBytes",
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

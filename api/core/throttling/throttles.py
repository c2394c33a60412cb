"""The limits themselves, as REST framework asks for them."""

from hashlib import sha256
from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from core.addresses import client_network
from core.throttling.counters import CacheCounters, Counters, DatabaseCounters

USER_CACHE = "user_throttle"


class SharedRateThrottle(SimpleRateThrottle):
    """So many requests in a time, however many workers answer them. Subclasses say by what it is counted."""

    counters: Counters = DatabaseCounters()
    num_requests: int | None
    duration: int | None
    _wait_seconds: float | None = None

    def get_rate(self) -> str | None:
        rates: dict[str, str | None] = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
        if self.scope not in rates:
            raise ImproperlyConfigured(f"No rate is set for the throttle '{self.scope}'.")
        return rates[self.scope]

    def counted_by(self, request: Request) -> str | None:
        """Return whose requests are counted together; None for a request that isn't counted."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: APIView) -> bool:
        if self.num_requests is None or self.duration is None:
            return True
        owner = self.counted_by(request)
        if owner is None:
            return True
        key = sha256(f"{self.scope}\0{type(self).__name__}\0{owner}".encode()).hexdigest()
        self._wait_seconds = self.counters.take(key, limit=self.num_requests, seconds=self.duration)
        return self._wait_seconds is None

    def wait(self) -> float | None:
        return None if self._wait_seconds is None else max(ceil(self._wait_seconds), 1)


class ScopedThrottle(SharedRateThrottle):
    """The rate that the view's `throttle_scope` names, for each client address."""

    def __init__(self) -> None:
        """Wait for the view, which names the scope."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.scope: Any = getattr(view, "throttle_scope", None)
        if self.scope is None:
            return True
        super().__init__()
        return super().allow_request(request, view)

    def counted_by(self, request: Request) -> str | None:
        return client_network(request)


class UserRateThrottle(SharedRateThrottle):
    """`USER_THROTTLE_RATE`, for each user, and for each address where there is none."""

    scope = "user"

    def __init__(self) -> None:
        super().__init__()
        if USER_CACHE in settings.CACHES:
            self.counters = CacheCounters(USER_CACHE)

    def counted_by(self, request: Request) -> str | None:
        if _master_key_of(request) is not None:
            return None
        user = request.user
        return f"user {user.pk}" if user.is_authenticated else client_network(request)


class MasterAPIKeyUserRateThrottle(UserRateThrottle):
    """`MASTER_API_KEY_THROTTLE_RATE`, for each master key."""

    scope = "master_api_key"

    def counted_by(self, request: Request) -> str | None:
        key = _master_key_of(request)
        return None if key is None else str(key)


def _master_key_of(request: Request) -> Any:
    return getattr(request.user, "key_id", None)

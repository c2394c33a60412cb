"""Limits on how often something may be done, with counters that all workers share."""

from core.throttling.throttles import (
    MasterAPIKeyUserRateThrottle,
    ScopedThrottle,
    SharedRateThrottle,
    UserRateThrottle,
)

__all__ = ["MasterAPIKeyUserRateThrottle", "ScopedThrottle", "SharedRateThrottle", "UserRateThrottle"]

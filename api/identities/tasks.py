"""What is done with identities in the background."""

from datetime import timedelta

from django.conf import settings

from identities.expiry import delete_expired_identities
from tasks.registry import recurring


@recurring(every=timedelta(hours=6), timeout=timedelta(hours=1))
def expire_identities() -> None:
    """Delete identities that nobody asked for in IDENTITY_TTL_DAYS; what is left over goes the next time."""
    if settings.IDENTITY_TTL_DAYS:
        for _ in delete_expired_identities(settings.IDENTITY_TTL_DAYS):
            pass

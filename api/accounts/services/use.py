"""Keeping what is known of an account's use."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from users.models import User


def note_use(user: User) -> None:
    """Let `last_login` show that the account is in use, without a write for every request."""
    threshold = timedelta(minutes=settings.LAST_LOGIN_UPDATE_THRESHOLD_MINUTES)
    now = timezone.now()
    if user.last_login is None or user.last_login < now - threshold:
        user.last_login = now
        user.save(update_fields=["last_login"])

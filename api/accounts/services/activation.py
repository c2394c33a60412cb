"""Activating accounts."""

from users.models import User


def activate(user: User) -> None:
    """Let an account be used that waited for its owner to open the link in a mail."""
    User.objects.filter(pk=user.pk, awaits_activation=True).update(is_active=True)

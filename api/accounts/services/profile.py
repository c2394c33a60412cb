"""What users change of their own accounts."""

from typing import Any

from django.db import transaction

from accounts.services.mails import tell_of_new_address
from users.models import User


@transaction.atomic
def change_email(user: User, email: str, *, site_url: str) -> None:
    """Let a user sign in with another address. The old one is told.

    Raises:
        IntegrityError: another user has the address.
    """
    old_email = user.email
    if email == old_email:
        return
    user.email = email
    user.save(update_fields=["email"])
    tell_of_new_address(user, old_email=old_email, site_url=site_url)


@transaction.atomic
def note_onboarding(user: User, progress: dict[str, Any]) -> None:
    """Keep how far a user has come with the first steps; parts that aren't given stay as they are."""
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    user.onboarding_data = {**(user.onboarding_data or {}), **progress}
    user.save(update_fields=["onboarding_data"])

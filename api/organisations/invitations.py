"""Who is invited: what sign-up asks where it is closed to others, and what joining looks up."""

from collections.abc import Collection

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Now

from organisations.models import Invite, InviteLink


def living_invites() -> QuerySet[Invite]:
    """Return the invitations to living organisations."""
    return Invite.objects.filter(organisation__deleted_at__isnull=True)


def addresses_among(invites: QuerySet[Invite], emails: Collection[str]) -> set[str]:
    """Return those of `emails`, in lower case, that these invitations are for, whatever their letter case."""
    lower = {email.lower() for email in emails}
    invited = invites.annotate(any_case=Lower("email")).filter(any_case__in=lower)
    return set(invited.values_list("any_case", flat=True))


def living_links() -> QuerySet[InviteLink]:
    """Return the links of living organisations, expired ones too."""
    return InviteLink.objects.filter(organisation__deleted_at__isnull=True)


def is_invited(email: str) -> bool:
    """Whether any organisation has invited this address, whatever its letter case."""
    return bool(addresses_among(living_invites(), [email]))


def is_invited_by_link(hash: str) -> bool:
    """Whether somebody can join by this link now: links are on, and it has not expired."""
    if settings.DISABLE_INVITE_LINKS:
        return False
    usable = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
    return living_links().filter(usable, hash=hash).exists()

"""Who is invited: what sign-up asks where it is closed to others, and what joining looks up."""

from django.conf import settings
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower, Now

from organisations.models import Invite, InviteLink


def invites_of(email: str) -> QuerySet[Invite]:
    """Return the invitations of an e-mail address, whatever its letter case, to living organisations."""
    living: QuerySet[Invite] = Invite.objects.filter(organisation__deleted_at__isnull=True)
    return living.alias(any_case=Lower("email")).filter(any_case=Lower(Value(email)))


def living_links() -> QuerySet[InviteLink]:
    """Return the links of living organisations, expired ones too."""
    return InviteLink.objects.filter(organisation__deleted_at__isnull=True)


def is_invited(email: str) -> bool:
    """Whether any organisation has invited this address, whatever its letter case."""
    return invites_of(email).exists()


def is_invited_by_link(hash: str) -> bool:
    """Whether somebody can join by this link now: links are on, and it has not expired."""
    if settings.DISABLE_INVITE_LINKS:
        return False
    usable = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
    return living_links().filter(usable, hash=hash).exists()

"""Links by which whoever has one can join. Nothing of this is written to the audit log."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from organisations.exceptions import InvitationNotFoundError, InviteExpiredError, InviteLinksDisabledError
from organisations.invitations import living_links
from organisations.models import InviteLink, MemberRole, Organisation, OrganisationMembership
from organisations.services.members import join
from users.models import User


def create_link(
    organisation: Organisation, *, role: MemberRole = MemberRole.USER, expires_at: datetime | None = None
) -> InviteLink:
    """Make a link by which anyone can join with this role, until it expires."""
    return InviteLink.objects.create(organisation=organisation, role=role, expires_at=expires_at)


def delete_link(link: InviteLink) -> None:
    """Delete a link: nobody joins by it any more. Who has joined stays."""
    link.delete()


def join_by_link(hash: str, user: User) -> OrganisationMembership:
    """Let a user join by a link. The link stays.

    Raises:
        InviteLinksDisabledError: `DISABLE_INVITE_LINKS` is on.
        InvitationNotFoundError: there is no such link, or no longer.
        InviteExpiredError: it was good until `expires_at`.
        AlreadyMemberError: the user belongs to the organisation.
    """
    if settings.DISABLE_INVITE_LINKS:
        raise InviteLinksDisabledError.on_joining()
    link = living_links().select_related("organisation").filter(hash=hash).first()
    if link is None:
        raise InvitationNotFoundError("Not found.")
    if link.expires_at is not None and link.expires_at <= timezone.now():
        raise InviteExpiredError("Invite has expired")
    return join(link.organisation, user, MemberRole(link.role))

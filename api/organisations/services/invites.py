"""Inviting people by e-mail, and joining by the mail. Nothing of this is written to the audit log."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from django.db import transaction
from django.db.models import prefetch_related_objects

from mails import services as mail
from organisations.exceptions import InvitationNotFoundError, WrongInviteeError
from organisations.invitations import living_invites
from organisations.models import Group, Invite, MemberRole, Organisation, OrganisationMembership
from organisations.services.members import join
from permissions.actors import Actor, Machine
from users.models import User


class Invitation(TypedDict):
    """Who is invited, to be what."""

    email: str
    role: MemberRole
    groups: Sequence[Group]


@transaction.atomic
def invite(
    organisation: Organisation,
    invitations: Iterable[Invitation],
    *,
    actor: Actor,
    site: str,
) -> list[Invite]:
    """Invite people to an organisation, and send each of them a mail.

    Args:
        site: what the links begin with, see `core.site`.

    Raises:
        IntegrityError: an address is invited already, whatever its letter case.
    """
    wanted = list(invitations)
    made = Invite.objects.bulk_create(
        Invite(
            organisation=organisation,
            email=each["email"],
            role=each["role"],
            invited_by=None if isinstance(actor, Machine) else actor,
        )
        for each in wanted
    )
    _give_groups({invite: each["groups"] for invite, each in zip(made, wanted, strict=True)})
    for each in made:
        send_invitation(each, site=site)
    return made


def send_invitation(invite: Invite, *, site: str) -> None:
    """Send an invitation's mail, whose link begins with `site`: see `core.site`."""
    context = {
        "invite": invite,
        "organisation": invite.organisation,
        "inviter": invite.invited_by,
        "site_url": site,
    }
    mail.send("invitation", to=invite.email, context=context)


def withdraw(invite: Invite) -> None:
    """Withdraw an invitation: the link in its mail leads nowhere."""
    invite.delete()


@transaction.atomic
def accept_invite(hash: str, user: User) -> OrganisationMembership:
    """Let an invited user join, as what they were invited to be. The invitation is used up.

    Raises:
        InvitationNotFoundError: there is no such invitation, or no longer.
        WrongInviteeError: another address was invited.
        AlreadyMemberError: the user belongs to the organisation. The invitation stays.
    """
    invite = living_invites().select_for_update(of=["self"]).filter(hash=hash).first()
    if invite is None:
        raise InvitationNotFoundError("Not found.")
    if invite.email.lower() != user.email.lower():
        raise WrongInviteeError("Registered email does not match invited email")
    membership = join(
        invite.organisation, user, MemberRole(invite.role), list(invite.permission_groups.all())
    )
    invite.delete()
    return membership


def _give_groups(groups_of: Mapping[Invite, Sequence[Group]]) -> None:
    """Keep which groups each invitation is for. One that was deleted meanwhile is left out."""
    wanted = {group.pk for groups in groups_of.values() for group in groups}
    still_there = Group.objects.filter(pk__in=wanted).select_for_update(no_key=True).in_bulk()
    through = Invite.permission_groups.through
    through.objects.bulk_create(
        through(invite=invite, group=group)
        for invite, groups in groups_of.items()
        for group in groups
        if group.pk in still_there
    )
    prefetch_related_objects(list(groups_of), "permission_groups")

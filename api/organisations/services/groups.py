"""Groups and who is in them. Nothing of this is written to the audit log."""

from collections.abc import Collection
from typing import TypedDict, Unpack

from django.db import transaction

from organisations.exceptions import GroupGoneError, NotAMemberError, OwnGroupMembershipError
from organisations.models import Group, GroupMembership, Organisation, OrganisationMembership
from permissions.access import is_organisation_admin
from permissions.actors import Actor


class GroupFields(TypedDict, total=False):
    name: str
    is_default: bool
    external_id: str | None


def create_group(organisation: Organisation, **fields: Unpack[GroupFields]) -> Group:
    """Make a group that nobody is in."""
    return Group.objects.create(organisation=organisation, **fields)


@transaction.atomic
def update_group(group: Group, **changes: Unpack[GroupFields]) -> Group:
    """Change a group: only the fields given are written. Who is in it stays.

    Raises:
        GroupGoneError: it was deleted.
    """
    _lock(group)
    for name, value in changes.items():
        setattr(group, name, value)
    group.save(update_fields=list(changes))
    return group


@transaction.atomic
def delete_group(group: Group) -> None:
    """Delete a group, and with it what was granted to it."""
    _lock(group)
    group.delete()


@transaction.atomic
def add_to_group(group: Group, user_ids: Collection[int], *, actor: Actor) -> None:
    """Put members of the organisation into a group. Who is in it already stays as they are.

    Raises:
        OwnGroupMembershipError: the actor would join it, and doesn't administer the organisation.
        NotAMemberError: one of the users doesn't belong to the organisation. Nobody is added then.
        GroupGoneError: it was deleted.
    """
    _refuse_own_membership(actor, group, user_ids, "Non-admin users cannot add themselves to a group.")
    _lock(group)
    memberships = OrganisationMembership.objects.filter(
        organisation=group.organisation_id, user__in=set(user_ids)
    )
    # Locked, so that who leaves the organisation at this moment doesn't stay in the group.
    members = memberships.order_by("pk").select_for_update(no_key=True).values_list("user", flat=True)
    strangers = set(user_ids).difference(members)
    if strangers:
        named = ", ".join(str(each) for each in sorted(strangers)[:10])
        raise NotAMemberError(f"These users do not belong to the organisation: {named}.")
    GroupMembership.objects.bulk_create(
        (GroupMembership(group=group, user_id=user_id) for user_id in sorted(set(user_ids))),
        ignore_conflicts=True,
    )


@transaction.atomic
def remove_from_group(group: Group, user_ids: Collection[int], *, actor: Actor) -> None:
    """Take users out of a group. Who isn't in it is passed over.

    Raises:
        OwnGroupMembershipError: the actor would leave it, and doesn't administer the organisation.
        GroupGoneError: it was deleted.
    """
    _refuse_own_membership(actor, group, user_ids, "Non-admin users cannot remove themselves from a group.")
    _lock(group)
    GroupMembership.objects.filter(group=group, user__in=set(user_ids)).delete()


def set_group_admin(membership: GroupMembership, is_admin: bool) -> None:
    """Make somebody in a group one of those who say who else is, or no longer."""
    GroupMembership.objects.filter(pk=membership.pk).update(is_admin=is_admin)


def _lock(group: Group) -> None:
    """Make others who change this group wait until the transaction ends."""
    locked = Group.objects.select_for_update(no_key=True).filter(pk=group.pk)
    if locked.values_list("pk").first() is None:
        raise GroupGoneError("This group was deleted.")


def _refuse_own_membership(actor: Actor, group: Group, user_ids: Collection[int], reason: str) -> None:
    if actor.pk in user_ids and not is_organisation_admin(actor, group.organisation_id):
        raise OwnGroupMembershipError(reason)

"""Joining an organisation, changing roles, and leaving. Nothing of this is written to the audit log.

Each takes the organisation's lock first, so that whoever comes and goes at the same moment waits.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from organisations.exceptions import (
    AlreadyMemberError,
    LastMemberError,
    OrganisationGoneError,
    WithoutAdministratorError,
)
from organisations.models import Group, GroupMembership, MemberRole, Organisation, OrganisationMembership
from users.models import User


@transaction.atomic
def join(
    organisation: Organisation, user: User, role: MemberRole, groups: Iterable[Group] = ()
) -> OrganisationMembership:
    """Let a user join an organisation, its default groups, and `groups` of it.

    Raises:
        AlreadyMemberError: the user belongs to it.
        WithoutAdministratorError: it has no administrator, and this would be none.
        OrganisationGoneError: it was deleted.
    """
    _lock(organisation)
    if role != MemberRole.ADMIN and not _administrators(organisation).exists():
        raise WithoutAdministratorError("This organisation has no administrator any more.")
    membership, joined = OrganisationMembership.objects.get_or_create(
        organisation=organisation, user=user, defaults={"role": role}
    )
    if not joined:
        raise AlreadyMemberError("This user already belongs to the organisation.")

    default_groups = Group.objects.filter(organisation=organisation, is_default=True)
    chosen_groups = Group.objects.filter(organisation=organisation, pk__in=[each.pk for each in groups])
    # Locked, so that none is deleted before the user is in it.
    to_join = (default_groups | chosen_groups).select_for_update(no_key=True)
    GroupMembership.objects.bulk_create(GroupMembership(group=group, user=user) for group in to_join)
    return membership


@transaction.atomic
def change_role(membership: OrganisationMembership, role: MemberRole) -> OrganisationMembership:
    """Give a member another role.

    Raises:
        IntegrityError: an organisation needs an administrator, and this is the last one.
    """
    _lock(membership.organisation)
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


def leave(organisation: Organisation, user: User) -> None:
    """Let a user leave, as `remove_members` does it."""
    remove_members(organisation, [user.pk])


@transaction.atomic
def remove_members(organisation: Organisation, user_ids: Collection[Any]) -> None:
    """Take users out of an organisation, its groups and its roles, with all that they were granted in it.

    Who doesn't belong to it is passed over.

    Raises:
        LastMemberError: nobody would be left.
        IntegrityError: an organisation needs an administrator, and the last one would go.
        OrganisationGoneError: it was deleted.
    """
    _lock(organisation)
    OrganisationMembership.objects.filter(organisation=organisation, user__in=user_ids).delete()
    if not organisation.memberships.exists():
        raise LastMemberError("The last member of an organisation can't be removed. Delete it instead.")


def _lock(organisation: Organisation) -> None:
    """Make others who change this organisation's members wait until the transaction ends."""
    locked = Organisation.objects.select_for_update(no_key=True).filter(pk=organisation.pk)
    if locked.values_list("pk").first() is None:
        raise OrganisationGoneError("This organisation was deleted.")


def _administrators(organisation: Organisation) -> QuerySet[OrganisationMembership]:
    return OrganisationMembership.objects.filter(organisation=organisation, role=MemberRole.ADMIN)

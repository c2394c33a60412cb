"""Organisations and their members. Nothing of this is written to the audit log."""

from collections.abc import Collection
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.db import transaction

from organisations.exceptions import LastMemberError, OrganisationCreationRestrictedError
from organisations.models import MemberRole, Organisation, OrganisationMembership
from users.models import User


class OrganisationFields(TypedDict, total=False):
    name: str
    webhook_notification_email: str | None
    restrict_project_create_to_admin: bool
    force_2fa: bool


@transaction.atomic
def create_organisation(*, creator: User, **fields: Unpack[OrganisationFields]) -> Organisation:
    """Make an organisation with `creator` as its administrator.

    Raises:
        OrganisationCreationRestrictedError: this installation leaves that to superusers.
    """
    if settings.RESTRICT_ORG_CREATE_TO_SUPERUSERS and not creator.is_superuser:
        raise OrganisationCreationRestrictedError("Only superusers may create organisations.")

    organisation: Organisation = Organisation.objects.create(**fields)
    add_member(organisation, creator, role=MemberRole.ADMIN)
    return organisation


@transaction.atomic
def update_organisation(organisation: Organisation, **changes: Unpack[OrganisationFields]) -> Organisation:
    """Change an organisation: only the fields given are written."""
    for name, value in changes.items():
        setattr(organisation, name, value)
    organisation.save(update_fields=list(changes))
    return organisation


def delete_organisation(organisation: Organisation) -> None:
    """Delete an organisation and all that is in it. Its keys stop working at once."""
    organisation.delete()


def add_member(organisation: Organisation, user: User, *, role: MemberRole) -> OrganisationMembership:
    """Let a user join.

    Raises:
        IntegrityError: the user is a member already.
    """
    return OrganisationMembership.objects.create(organisation=organisation, user=user, role=role)


@transaction.atomic
def change_role(membership: OrganisationMembership, role: MemberRole) -> OrganisationMembership:
    """Give a member another role.

    Raises:
        IntegrityError: an organisation needs an administrator, and this is the last one.
    """
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


@transaction.atomic
def remove_members(organisation: Organisation, user_ids: Collection[Any]) -> None:
    """Take users out of an organisation. Who doesn't belong to it is passed over.

    Raises:
        LastMemberError: nobody would be left.
        IntegrityError: an organisation needs an administrator, and the last one would go.
    """
    OrganisationMembership.objects.filter(organisation=organisation, user__in=user_ids).delete()
    # Counted under the lock that the deletion of an administrator takes: see the table's trigger.
    if not organisation.memberships.exists():
        raise LastMemberError("The last member of an organisation can't be removed. Delete it instead.")

"""Organisations. Nothing of this is written to the audit log."""

from typing import TypedDict, Unpack

from django.conf import settings
from django.db import transaction

from organisations.exceptions import OrganisationCreationRestrictedError
from organisations.models import MemberRole, Organisation
from organisations.services.members import join
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
    join(organisation, creator, MemberRole.ADMIN)
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

"""Deleting accounts."""

from django.db import transaction

from accounts.exceptions import LastAdministratorError
from organisations.models import MemberRole, Organisation, OrganisationMembership
from organisations.services import delete_organisation
from users.models import User


@transaction.atomic
def delete_account(user: User, *, delete_orphan_organisations: bool = False) -> None:
    """Delete a user with all that is theirs alone. Their sessions end at once.

    Args:
        delete_orphan_organisations: delete those organisations as well in which nobody else is.

    Raises:
        LastAdministratorError: others would be left in an organisation without an administrator.
    """
    # Whoever joins or leaves one of them waits; locked in order, so that no two wait for each other.
    theirs = Organisation.objects.filter(pk__in=user.memberships.values("organisation")).order_by("pk")
    organisations = list(theirs.select_for_update(no_key=True))
    others = OrganisationMembership.objects.filter(organisation__in=organisations).exclude(user=user)
    shared = set(others.values_list("organisation_id", flat=True))
    administered = set(others.filter(role=MemberRole.ADMIN).values_list("organisation_id", flat=True))

    stranded = [each.name for each in organisations if each.pk in shared - administered]
    if stranded:
        names = ", ".join(f"'{name}'" for name in stranded)
        raise LastAdministratorError(
            f"You are the last administrator of {names}. Make another member an administrator first."
        )
    if delete_orphan_organisations:
        for organisation in organisations:
            if organisation.pk not in shared:
                delete_organisation(organisation)
    user.delete()

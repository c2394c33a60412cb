"""Organisations and members, as they are shown."""

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from organisations.models import Group, GroupMembership, Organisation, OrganisationMembership
from permissions.access import may
from permissions.actors import Actor, Machine
from permissions.holdings import role_in


def organisations_of(actor: Actor) -> QuerySet[Organisation]:
    """Return the organisations that `actor` belongs to, each with its `num_seats` and the actor's `role`."""
    members = OrganisationMembership.objects.filter(organisation=OuterRef("pk")).order_by()
    seats = members.values("organisation").annotate(number=Count("pk")).values("number")
    organisations: QuerySet[Organisation] = Organisation.objects.annotate(
        num_seats=Coalesce(Subquery(seats), 0)
    )
    if isinstance(actor, Machine):
        role = Value(role_in(actor, actor.organisation_id))
        return organisations.filter(pk=actor.organisation_id).annotate(role=role)
    return organisations.filter(memberships__user=actor).annotate(role=F("memberships__role"))


def members_of(organisation: Organisation) -> QuerySet[OrganisationMembership]:
    """Return an organisation's members, with their users."""
    return OrganisationMembership.objects.filter(organisation=organisation).select_related("user")


def groups_of(actor: Actor, organisation: Organisation) -> QuerySet[Group]:
    """Return the groups of an organisation that `actor` is in. A machine is in none."""
    mine = GroupMembership.objects.filter(user=actor.pk)
    return Group.objects.filter(organisation=organisation, pk__in=mine.values("group"))


def groups_managed_by(actor: Actor, organisation: Organisation) -> QuerySet[Group]:
    """Return the groups that `actor` may see in full and change: all of them, or those they administer."""
    groups: QuerySet[Group] = Group.objects.filter(organisation=organisation)
    if may(actor, "MANAGE_USER_GROUPS", organisation):
        return groups
    administered = GroupMembership.objects.filter(user=actor.pk, is_admin=True)
    return groups.filter(pk__in=administered.values("group"))

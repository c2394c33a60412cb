"""Organisations and members, as they are shown."""

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from organisations.models import Organisation, OrganisationMembership
from users.models import User


def organisations_of(user: User) -> QuerySet[Organisation]:
    """Return the organisations that `user` belongs to, each with its `num_seats` and the user's `role`."""
    members = OrganisationMembership.objects.filter(organisation=OuterRef("pk")).order_by()
    seats = members.values("organisation").annotate(number=Count("pk")).values("number")
    organisations: QuerySet[Organisation] = Organisation.objects.filter(memberships__user=user)
    return organisations.annotate(role=F("memberships__role"), num_seats=Coalesce(Subquery(seats), 0))


def members_of(organisation: Organisation) -> QuerySet[OrganisationMembership]:
    """Return an organisation's members, with their users."""
    return OrganisationMembership.objects.filter(organisation=organisation).select_related("user")

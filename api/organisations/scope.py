"""Views of one organisation and below `organisations/{organisation_pk}/`."""

from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

from django.db.models import Model
from rest_framework.exceptions import APIException, NotFound, PermissionDenied
from rest_framework.request import Request

from core.errors import InvalidInput
from organisations.models import Organisation, OrganisationMembership
from organisations.selectors import organisations_of
from permissions.access import require
from permissions.catalogue import ADMIN, MEMBER
from permissions.scoped import ScopedView


class InsufficientPrivileges(PermissionDenied):
    """As invitations and webhooks refuse who may not manage them."""

    default_detail = "User does not have sufficient privileges to perform this action"


class InOrganisation(ScopedView):
    """A view in one organisation, which is `self.organisation` and one that the caller belongs to.

    Who doesn't belong to it gets 403, and a member of a deleted one 404. One that never existed is one that
    the caller doesn't belong to, so that nobody learns which there are.
    """

    refusal: ClassVar[type[APIException]] = PermissionDenied

    read_permission = MEMBER
    write_permission = ADMIN

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if "organisation_pk" in self.kwargs:
            _ = self.organisation

    def surroundings(self) -> Iterator[Model]:
        if "organisation_pk" in self.kwargs:
            yield self.organisation

    @cached_property
    def organisation(self) -> Organisation:
        """The organisation in the path, as `organisations_of` returns it.

        Raises:
            InvalidInput: the path has no number there.
            APIException: `refusal`; the caller is no member, or may not do this.
            NotFound: it was deleted.
        """
        organisation_id = _number_in(self.kwargs["organisation_pk"])
        user = self.request.user
        organisation = organisations_of(user).filter(pk=organisation_id).first()
        if organisation is None:
            raise NotFound if self._was_theirs(organisation_id) else self.refusal
        require(user, self.required_permission, organisation, otherwise=self.refusal)
        return organisation

    def _was_theirs(self, organisation_id: int) -> bool:
        memberships = OrganisationMembership.objects.filter(user=self.request.user.pk)
        return memberships.filter(organisation=organisation_id).exists()


def _number_in(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InvalidInput(["Invalid organisation ID"]) from error

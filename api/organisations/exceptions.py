"""What is refused about organisations."""

from rest_framework import status

from core.errors import DomainError


class OrganisationCreationRestrictedError(DomainError):
    """`RESTRICT_ORG_CREATE_TO_SUPERUSERS` is on, and this user is none."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "organisation_creation_restricted"


class LastMemberError(DomainError):
    """Without its last member nobody could reach the organisation."""

    code = "last_member"


class OrganisationGoneError(DomainError):
    """It was deleted meanwhile."""

    status_code = status.HTTP_404_NOT_FOUND
    code = "not_found"


class AlreadyMemberError(DomainError):
    """Nobody joins twice."""

    code = "already_member"


class WithoutAdministratorError(DomainError):
    """All have left, so only an administrator may be the first again."""

    code = "without_administrator"

"""What is refused about organisations."""

from typing import Self

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


class GroupGoneError(DomainError):
    """It was deleted meanwhile."""

    status_code = status.HTTP_404_NOT_FOUND
    code = "not_found"


class NotAMemberError(DomainError):
    """Only members of an organisation are in its groups."""

    code = "not_a_member"


class OwnGroupMembershipError(DomainError):
    """Who isn't an administrator of the organisation decides about others only."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "own_group_membership"


class InvitationNotFoundError(DomainError):
    """There is no such invitation, or it was used or withdrawn."""

    status_code = status.HTTP_404_NOT_FOUND
    code = "not_found"


class WrongInviteeError(DomainError):
    """An invitation by e-mail is for the owner of the address."""

    code = "wrong_invitee"


class InviteExpiredError(DomainError):
    """The link was good until `expires_at`."""

    code = "invite_expired"


class InviteLinksDisabledError(DomainError):
    """`DISABLE_INVITE_LINKS` is on."""

    code = "invite_links_disabled"

    def __init__(self) -> None:
        super().__init__("Invite links are disabled.")

    @classmethod
    def on_joining(cls) -> Self:
        """Return the refusal for who would join by one, which is a 403."""
        error = cls()
        error.status_code = status.HTTP_403_FORBIDDEN
        return error

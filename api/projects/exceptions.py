"""What is refused about projects and tags."""

from core.errors import DomainError, InvalidInput


class SystemTagChangedError(InvalidInput):
    """What the server itself sets is not for people to change."""

    def __init__(self) -> None:
        super().__init__({"non_field_errors": ["Cannot update a system tag."]})


class SystemTagDeletedError(InvalidInput):
    def __init__(self) -> None:
        super().__init__({"message": "Cannot delete a system tag."})


class NoEdgeStoreError(DomainError):
    """A project is to be moved to a store that only Flagsmith's own service has."""

    code = "no_edge_store"

    def __init__(self) -> None:
        super().__init__("Dynamo DB is not enabled for this project")


class ApprovalRequiredError(DomainError):
    """Something is to be changed directly where changes are made by request only."""

    status_code = 403
    code = "approval_required"

    def __init__(self, place: str, who_may: str) -> None:
        super().__init__(
            f"'{place}' takes changes by change request only. "
            f"In an emergency, {who_may} sends the reason in the header X-Burgee-Break-Glass."
        )


class MayNotBreakGlassError(DomainError):
    """Somebody gives a reason for a direct change who may make none."""

    status_code = 403
    code = "may_not_break_glass"

    def __init__(self, place: str, who_may: str) -> None:
        super().__init__(f"'{place}' takes changes by change request only, except from {who_may}.")

"""What the product refuses about change requests."""

from typing import Any

from core.errors import DomainError


class OwnRequestError(DomainError):
    code = "own_change_request"

    def __init__(self) -> None:
        super().__init__("User cannot approve their own Change Request.")


class NoPersonError(DomainError):
    """A machine is to approve."""

    status_code = 403
    code = "no_person"

    def __init__(self) -> None:
        super().__init__("Only people can approve a Change Request.")


class NotApprovedError(DomainError):
    code = "not_approved"

    def __init__(self) -> None:
        super().__init__("Change request has not been approved by all required approvers.")


class CommittedError(DomainError):
    """A request is to be edited, approved or committed that was committed, and has taken effect."""

    code = "committed"


class CommittedRequestDeletionError(CommittedError):
    def __init__(self) -> None:
        super().__init__("Cannot delete a Change Request that has been committed.")


class ConflictingChangesError(DomainError):
    """What a request changes, others have changed since it was made."""

    code = "change_request_conflicts"

    def __init__(self, conflicts: list[dict[str, Any]]) -> None:
        super().__init__(
            "What this Change Request changes was changed meanwhile. "
            "Edit what it changes, or have it ignore conflicts."
        )
        self.conflicts = conflicts

    @property
    def body(self) -> Any:
        return {**super().body, "conflicts": self.conflicts}


class CohortSegmentError(DomainError):
    code = "cohort_segment"

    def __init__(self) -> None:
        super().__init__("Segments managed by a cohort cannot be changed via a change request.")


class ChangedDraftError(DomainError):
    """Somebody has changed a version after it was asked to be published."""

    code = "changed_draft"

    def __init__(self) -> None:
        super().__init__("The version was changed, published or deleted since the Change Request was made.")

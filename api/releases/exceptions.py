"""What the product refuses about taking changes back and carrying them over."""

from typing import Any

from rest_framework import status

from core.errors import DomainError


class OfferedAsRequestError(DomainError):
    """Something is to be done at once where it takes a request, and can be asked for in the same way."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "approval_required"

    @property
    def body(self) -> Any:
        return {**super().body, "offer": 'Send it with "mode": "request" to ask for approval.'}


class NothingToDoError(DomainError):
    """All of it is as it should be already, or none of it can be had."""

    status_code = status.HTTP_409_CONFLICT
    code = "nothing_to_do"

    def __init__(self, outcome: Any) -> None:
        super().__init__("There is nothing that this would change.")
        self.outcome = outcome

    @property
    def body(self) -> Any:
        return {**super().body, **self.outcome}


class EditedSinceError(DomainError):
    """All is to be taken back or nothing, and somebody has edited some of it since."""

    status_code = status.HTTP_409_CONFLICT
    code = "edited_since"

    def __init__(self, outcome: Any) -> None:
        super().__init__("Some of it was edited since, or can't be brought back.")
        self.outcome = outcome

    @property
    def body(self) -> Any:
        return {**super().body, **self.outcome}


class OutdatedComparisonError(DomainError):
    """An environment was changed since somebody has compared it with another one."""

    status_code = status.HTTP_409_CONFLICT
    code = "outdated_comparison"

    def __init__(self, source_revision: int, target_revision: int) -> None:
        super().__init__("One of the environments was changed since they were compared.")
        self.revisions = {"source_revision": source_revision, "target_revision": target_revision}

    @property
    def body(self) -> Any:
        return {**super().body, **self.revisions}


class SameEnvironmentError(DomainError):
    """An environment is to be promoted to itself."""

    code = "same_environment"

    def __init__(self) -> None:
        super().__init__("An environment can't be promoted to itself.")


class TooManyRevisionsError(DomainError):
    code = "too_many_revisions"

    def __init__(self, most: int) -> None:
        super().__init__(f"At most {most} revisions can be compared at once.")

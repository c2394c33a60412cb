"""What is refused about segments."""

from core.errors import DomainError


class ManagedSegmentError(DomainError):
    """Something else than people keeps the segment."""

    status_code = 403
    code = "managed_segment"

    def __init__(self, managed_by: str) -> None:
        super().__init__(
            f"This segment is managed by a {managed_by}. It can't be updated, deleted or cloned."
        )

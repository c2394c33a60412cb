"""What is refused about tags."""

from core.errors import InvalidInput


class SystemTagChangedError(InvalidInput):
    """What the server itself sets is not for people to change."""

    def __init__(self) -> None:
        super().__init__({"non_field_errors": ["Cannot update a system tag."]})


class SystemTagDeletedError(InvalidInput):
    def __init__(self) -> None:
        super().__init__({"message": "Cannot delete a system tag."})

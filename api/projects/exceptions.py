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

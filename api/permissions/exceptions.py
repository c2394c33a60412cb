"""What the product refuses about permissions."""

from core.errors import DomainError


class UsersOnlyError(DomainError):
    """A machine asks what only users can be told."""

    code = "users_only"

    def __init__(self) -> None:
        super().__init__("This endpoint can only be used with a user and not Master API Key")

from core.errors import DomainError


class NotReplayableError(DomainError):
    """A delivery is to be sent again that arrived, or that will be sent anyway."""

    code = "not_replayable"

    def __init__(self) -> None:
        super().__init__("Only a delivery that failed or was discarded can be replayed.")

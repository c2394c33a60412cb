"""What the product refuses about identities and traits."""

from core.errors import DomainError


class TraitKeyNotGivenError(DomainError):
    """Nobody said which trait to delete, or it can be none."""

    code = "trait_key_not_given"

    def __init__(self) -> None:
        super().__init__("Couldn't delete trait keys.")

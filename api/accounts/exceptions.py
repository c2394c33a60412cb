"""What is refused about accounts."""

from core.errors import DomainError


class LastAdministratorError(DomainError):
    """Others would be left in an organisation that nobody administers."""

    code = "last_administrator"

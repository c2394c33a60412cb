"""What the product refuses about features."""

from core.errors import DomainError, InvalidInput


class FeatureNotProvidedError(DomainError):
    """A feature state is to be made, and nobody said of which feature."""

    code = "feature_not_provided"

    def __init__(self) -> None:
        super().__init__("Feature not provided")


class OwnerRequiredError(InvalidInput):
    """The project wants every feature to have an owner. A bare list, as clients expect it."""

    def __init__(self) -> None:
        super().__init__(["This project requires at least one owner or group owner per feature."])


class ExportNotReadyError(DomainError):
    """The file of an export isn't there: not yet, or because writing it failed."""

    code = "export_not_ready"

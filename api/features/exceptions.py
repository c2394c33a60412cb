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


class VersionedEnvironmentError(DomainError):
    """What is served is to be changed in place, where it changes by versions."""

    code = "versioned_environment"

    def __init__(self) -> None:
        super().__init__(
            "This environment uses v2 feature versioning. "
            "Use the environment feature version endpoint instead."
        )


class UnversionedEnvironmentError(InvalidInput):
    """A version is to be made where there are none. A text instead of a list, as clients expect it."""

    def __init__(self) -> None:
        super().__init__({"environment": "Environment must use v2 feature versioning."})


class VersioningIsOnError(DomainError):
    code = "versioning_is_on"

    def __init__(self) -> None:
        super().__init__("Environment already using v2 versioning.")


class VersioningIsOffError(DomainError):
    code = "versioning_is_off"

    def __init__(self) -> None:
        super().__init__("Environment is not using v2 versioning.")


class PublishedVersionError(DomainError):
    """A version is to be changed after it was published."""

    code = "published_version"

    def __init__(self) -> None:
        super().__init__("Cannot modify published version.")


class LiveVersionError(DomainError):
    """A version is to be deleted that is served, or was."""

    code = "live_version"

    def __init__(self) -> None:
        super().__init__("Cannot delete a live version.")


class DefaultStateError(DomainError):
    """A version is to have no state for everyone."""

    code = "default_state"

    def __init__(self) -> None:
        super().__init__("Cannot delete environment default feature state.")


class VersionGoneError(DomainError):
    """A version was deleted by someone else in the meantime."""

    status_code = 404
    code = "not_found"

    def __init__(self) -> None:
        super().__init__("The version is gone.")


class VersionConflictError(InvalidInput):
    """A version can't be made as it is wanted, for what is served by now."""

    def __init__(self, reason: str) -> None:
        super().__init__({"message": reason})


class FeatureNeededError(DomainError):
    """A feature is to go, or be archived, that others need."""

    status_code = 409
    code = "feature_needed"


class VariantNeededError(DomainError):
    """A variant is to go, or get another key, that other features need."""

    status_code = 409
    code = "variant_needed"

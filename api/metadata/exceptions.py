"""What the product refuses about custom fields."""

from rest_framework import status

from core.errors import InvalidInput


class NameTakenError(InvalidInput):
    def __init__(self) -> None:
        super().__init__({"name": ["A metadata field with this name already exists."]})


class ForeignProjectError(InvalidInput):
    """The project is unknown, or another organisation's."""

    def __init__(self) -> None:
        super().__init__({"project": ["Project must belong to the specified organisation."]})


class ForeignRequirementError(InvalidInput):
    """The target is unknown, or another organisation or its project."""

    def __init__(self) -> None:
        reason = "The requirement organisation does not match the field organisation"
        super().__init__({"non_field_errors": [reason]})


class UnsupportedModelError(InvalidInput):
    """Objects of this name have no custom fields."""

    status_code = status.HTTP_404_NOT_FOUND

    def __init__(self) -> None:
        super().__init__({"message": "No supported models found for the given model name."})

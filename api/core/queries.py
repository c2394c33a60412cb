"""Reading query strings: typed, limited and described in the OpenAPI document."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request


class QuerySerializer(serializers.Serializer):
    """The parameters of a query string. An empty one counts as absent: dashboards send all they know.

    `means_something_empty` names those of which the empty form says something.
    """

    means_something_empty: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """Return the request's parameters by name; what is absent and has no default is left out.

        Raises:
            ValidationError: a parameter is malformed.
        """
        # A plain dict: with a QueryDict, DRF would take a boolean that is absent for false.
        given = {
            name: value
            for name, value in request.query_params.dict().items()
            if value or name in cls.means_something_empty
        }
        query = cls(data=given)
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class IdsParameter(serializers.CharField):
    """Ids with commas between them: `4,7`. Empty is the empty list."""

    def __init__(self, *, message: str, **options: Any) -> None:
        super().__init__(allow_blank=True, **options)
        self.message = message

    def to_internal_value(self, data: Any) -> list[int]:  # type: ignore[override]
        text = super().to_internal_value(data)
        try:
            # What no id can be matches nothing, and the database need not hear of it.
            return [number for part in text.split(",") if part and 0 < (number := int(part)) < 2**31]
        except ValueError as error:
            raise serializers.ValidationError(self.message) from error

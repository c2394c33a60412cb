"""The shapes that a feature's value has on the wire: raw, a typed object, and columns."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.fields import INT32_MAX, ChoiceField, text_of
from core.text import unstorable_text
from features.models import TypedValue, ValueType
from features.models.values import FlagValue

COLUMNS = {
    ValueType.STRING: "string_value",
    ValueType.INTEGER: "integer_value",
    ValueType.BOOLEAN: "boolean_value",
}


class StringValueField(serializers.CharField):
    """A string as long as a feature's value may be, exactly as it was sent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "allow_blank": True, "allow_null": True, **options})

    def to_internal_value(self, data: Any) -> str:
        return within_limit(super().to_internal_value(data))


class IntegerValueField(serializers.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{"min_value": -INT32_MAX - 1, "max_value": INT32_MAX, "allow_null": True, **options}
        )


@extend_schema_field(
    {"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}], "nullable": True}
)
class RawValueField(serializers.Field):
    """A value as plain JSON: a string, a 32-bit integer, a boolean or null. Others become their JSON text."""

    default_error_messages = {"too_large": "Ensure this value is a 32-bit integer."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_null": True, **options})

    def to_internal_value(self, data: Any) -> FlagValue:
        if isinstance(data, bool):
            return data
        if isinstance(data, int):
            if not -INT32_MAX - 1 <= data <= INT32_MAX:
                self.fail("too_large")
            return data
        text = text_of(data)
        if reason := unstorable_text(text):
            raise serializers.ValidationError(reason)
        return within_limit(text)

    def to_representation(self, value: FlagValue) -> FlagValue:
        return value


class TypedColumnsSerializer(serializers.Serializer):
    """A value in three columns, of which `type` names the one that counts. Input becomes one `value`."""

    type = ChoiceField(choices=ValueType.choices, required=False)
    string_value = StringValueField(required=False)
    integer_value = IntegerValueField(required=False)
    boolean_value = serializers.BooleanField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {name: attrs.pop(name) for name in ("type", *COLUMNS.values()) if name in attrs}
        if given or not self.partial:
            attrs["value"] = value_of_columns(given, self.instance)
        return attrs


class TypedValueSerializer(TypedColumnsSerializer):
    """`{"type": "int", "string_value": null, "integer_value": 5, "boolean_value": null}`.

    For a field with the source `*`: the value's columns are the row's own.
    """


def value_of_columns(given: Mapping[str, Any], stored: TypedValue | None) -> FlagValue:
    """Return the value that columns stand for.

    Args:
        given: what was sent of `type` and the three columns. Without a type, the filled column names it.
        stored: what holds where nothing was sent.
    """
    type_ = given.get("type")
    if type_ is None:
        filled = [name for name, column in COLUMNS.items() if given.get(column) is not None]
        type_ = filled[0] if filled else stored.type if stored else ValueType.STRING
    column = COLUMNS[ValueType(type_)]
    value: FlagValue = given.get(column, getattr(stored, column, None))
    return value


def within_limit(text: str) -> str:
    """Return `text`.

    Raises:
        ValidationError: it is longer than a feature's value may be.
    """
    limit = settings.FEATURE_VALUE_LIMIT
    if len(text) > limit:
        raise serializers.ValidationError(f"Ensure this field has no more than {limit} characters.")
    return text

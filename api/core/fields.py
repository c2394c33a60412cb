"""Serializer fields for what strangers send: ids, shares, and texts made of other JSON values."""

import json
import math
from typing import Any, NoReturn

from rest_framework import serializers

INT32_MAX = 2**31 - 1
INT64_MAX = 2**63 - 1


class IdField(serializers.IntegerField):
    """An object's id. One that no column could hold is refused here and never reaches the database."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": INT32_MAX, **options})


class IdListField(serializers.ListField):
    """A list of ids, in and out: `[4, 7]`. An attribute that is a relation is read as its rows' ids."""

    child = IdField()

    def to_representation(self, data: Any) -> list[int]:
        return [row.pk for row in data.all()] if hasattr(data, "all") else super().to_representation(data)


class ConstantField(serializers.Field):
    """What clients expect to read and what is always the same here. `value` is what JSON has."""

    def __init__(self, value: str | int | bool | list[Any] | None, **options: Any) -> None:
        super().__init__(**{"read_only": True, **options})
        self.value = value

    def get_attribute(self, instance: Any) -> Any:
        return self

    def to_representation(self, value: Any) -> Any:
        return self.value


class ChoiceField(serializers.ChoiceField):
    """One of several words. A refusal repeats what was sent, but not at length."""

    def fail(self, key: str, **words: Any) -> NoReturn:
        super().fail(key, **{name: _quotable(word) for name, word in words.items()})


def _quotable(value: object) -> str:
    """Return the beginning of a text, without the half characters that no answer could carry."""
    return f"{value!s:.100}".encode("utf-8", "replace").decode()


class PercentageField(serializers.FloatField):
    """A number from 0 to 100."""

    default_error_messages = {"out_of_range": "Invalid percentage allocation"}

    def to_internal_value(self, data: Any) -> float:
        try:
            number = super().to_internal_value(data)
        except OverflowError:  # an integer of hundreds of digits
            number = math.inf
        if not 0 <= number <= 100:  # NaN is in no range
            self.fail("out_of_range")
        return number


class TextOfAnyField(serializers.CharField):
    """Text, or the text of another JSON value: `5` becomes `"5"`, `true` becomes `"True"`, null stays null.

    Lists and objects become their JSON text.
    """

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(text_of(data))


def text_of(value: Any) -> str:
    """Return the text that a JSON value is stored as where only text is.

    Raises:
        ValidationError: it is nested too deeply.
    """
    if isinstance(value, str | bool):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError as error:
        raise serializers.ValidationError("The value is nested too deeply.") from error


class WholeItem(serializers.Serializer):
    """An item of a list that is replaced as a whole: even a PATCH sends its items complete."""

    def validate(self, attrs: dict[str, Any]) -> Any:
        missing = [
            name
            for name, field in self.fields.items()
            if field.required and not field.read_only and field.source not in attrs
        ]
        if missing:
            raise serializers.ValidationError({name: ["This field is required."] for name in missing})
        return super().validate(attrs)

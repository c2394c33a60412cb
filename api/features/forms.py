"""Forms of the admin for what features serve."""

from typing import Any

from django import forms
from django.conf import settings

from core.fields import INT32_MAX
from features.models import TypedValue, ValueType
from features.models.values import FlagValue

_BOOLEANS = {"true": True, "false": False}


class ValueForm(forms.ModelForm):
    """Edits a value as its type and its text. Leaves it as `value` in `cleaned_data`."""

    value_type = forms.ChoiceField(
        label="type", choices=ValueType.choices, required=False, initial=ValueType.STRING
    )
    value_text = forms.CharField(
        label="value",
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 2}),
        help_text="Empty: no value. A boolean is true or false.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if isinstance(self.instance, TypedValue) and self.instance.pk:
            self.initial["value_type"] = self.instance.type
            self.initial["value_text"] = text_of_value(self.instance.value)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        text = cleaned.get("value_text", "")
        try:
            cleaned["value"] = parsed_value(cleaned.get("value_type") or ValueType.STRING, text)
        except ValueError as error:
            self.add_error("value_text", str(error))
            return cleaned
        if isinstance(self.instance, TypedValue):
            self.instance.value = cleaned["value"]
        return cleaned

    @property
    def value_changed(self) -> bool:
        return bool({"value_type", "value_text"} & set(self.changed_data))


def text_of_value(value: FlagValue) -> str:
    """Return a value as people write it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def parsed_value(type_: str, text: str) -> FlagValue:
    """Return the value that a text of a type stands for; None for an empty one.

    Raises:
        ValueError: it stands for none; the message says why, for people.
    """
    if len(text) > settings.FEATURE_VALUE_LIMIT:
        raise ValueError(f"A value has no more than {settings.FEATURE_VALUE_LIMIT} characters.")
    if not text:
        return None
    if type_ == ValueType.BOOLEAN:
        if text.strip().lower() not in _BOOLEANS:
            raise ValueError("A boolean is true or false.")
        return _BOOLEANS[text.strip().lower()]
    if type_ == ValueType.INTEGER:
        return _integer(text)
    # What a browser sends as the end of a line, the API does not.
    return text.replace("\r\n", "\n")


def _integer(text: str) -> int:
    try:
        number = int(text)
    except ValueError as error:
        raise ValueError("This is no whole number.") from error
    if not -INT32_MAX - 1 <= number <= INT32_MAX:
        raise ValueError("An integer has 32 bits.")
    return number

"""Fields of accounts."""

from typing import Any

from rest_framework import serializers


class PasswordField(serializers.CharField):
    """A password, blanks at its ends included."""

    def __init__(self, **options: Any) -> None:
        style = {"input_type": "password"}
        super().__init__(**{"trim_whitespace": False, "write_only": True, "style": style, **options})


class EmailAddressField(serializers.EmailField):
    """An e-mail address, in lower case as all are stored."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).lower()

"""What configurations of integrations consist of: fields of serializers."""

from typing import Any

from rest_framework import serializers

from core.fields import ChoiceField
from core.public_urls import PublicUrlValidator

# Kept encrypted, and out of the history. Addresses too: path or query often are what lets somebody in.
SECRET = frozenset({"api_key", "api_token", "base_url", "secret", "url", "webhook_url"})


def address(**options: Any) -> serializers.Field:
    """A URL that is called: one of the internet at large, or one that the settings allow."""
    return serializers.CharField(max_length=200, validators=[PublicUrlValidator()], **options)


def optional_address() -> serializers.Field:
    return address(required=False, allow_null=True)


def one_address_of(addresses: list[str], **options: Any) -> serializers.Field:
    return ChoiceField(choices=addresses, **options)


def api_key() -> serializers.Field:
    return text(100)


def text(most_characters: int, **options: Any) -> serializers.Field:
    return serializers.CharField(max_length=most_characters, **options)


def switch() -> serializers.Field:
    return serializers.BooleanField(required=False)


def hidden(most_characters: int) -> serializers.Field:
    """A text that is given and never shown."""
    return text(most_characters, write_only=True)

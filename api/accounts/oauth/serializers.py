"""Signing in with Google and GitHub on the wire."""

from rest_framework import serializers

from core.fields import ChoiceField
from users.models import SignUpType


class OAuthSerializer(serializers.Serializer):
    """What a page got from the provider, and how somebody new was invited."""

    access_token = serializers.CharField(
        max_length=4096,
        write_only=True,
        help_text="An access token of Google, or an authorisation code of GitHub.",
    )
    sign_up_type = ChoiceField(SignUpType.choices, required=False, allow_null=True)
    invite_hash = serializers.CharField(
        max_length=100,
        write_only=True,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Of the invitation link, where accounts are for invited people only.",
    )


class OAuthTokenSerializer(serializers.Serializer):
    """A token, as from signing in."""

    key = serializers.CharField()
    is_new_user = serializers.BooleanField(help_text="Whether this made the account.")


class MessageSerializer(serializers.Serializer):
    """What is wrong at the provider, or with what it says."""

    message = serializers.CharField()

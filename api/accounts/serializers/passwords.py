"""Passwords on the wire: changing one's own, and choosing a new one by a link in a mail."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from rest_framework import serializers

from accounts.links import password_reset_tokens
from accounts.serializers.fields import EmailAddressField, PasswordField
from accounts.serializers.links import UidAndTokenSerializer
from users.models import User


class EmailSerializer(serializers.Serializer):
    """The address that a mail is asked for. Whether anybody has it isn't told."""

    email = EmailAddressField(max_length=254)


class CurrentPasswordSerializer(serializers.Serializer):
    """Proves that it's the owner who is signed in, and not somebody at their desk."""

    current_password = PasswordField()

    def validate_current_password(self, value: str) -> str:
        if not self.context["request"].user.check_password(value):
            raise serializers.ValidationError("Invalid password.")
        return value


class NewPasswordSerializer(serializers.Serializer):
    """A password, twice."""

    new_password = PasswordField()
    re_new_password = PasswordField()

    default_error_messages = {"password_mismatch": "The two password fields didn't match."}

    def check_password_of(self, user: User, attrs: dict[str, Any]) -> None:
        """Hold it to the configured rules, and to its repetition.

        Raises:
            ValidationError: it isn't good enough, or the two differ.
        """
        try:
            validate_password(attrs["new_password"], user)
        except ValidationError as error:
            raise serializers.ValidationError({"new_password": error.messages}) from error
        if attrs["new_password"] != attrs["re_new_password"]:
            self.fail("password_mismatch")


class SetPasswordSerializer(NewPasswordSerializer, CurrentPasswordSerializer):
    """The password that one has, and the one that one wants."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        self.check_password_of(self.context["request"].user, attrs)
        return attrs


class ResetPasswordConfirmSerializer(NewPasswordSerializer, UidAndTokenSerializer):
    """What the link in a reset mail says, and a new password."""

    tokens = password_reset_tokens

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if not self.user.is_active:
            self.fail_token()
        self.check_password_of(self.user, attrs)
        return attrs

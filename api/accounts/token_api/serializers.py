"""The token API on the wire."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from rest_framework import serializers

from accounts.gates import check_sign_up
from accounts.serializers.fields import EmailAddressField, PasswordField
from core.fields import ChoiceField
from users.models import SignUpType, User


class SignUpSerializer(serializers.Serializer):
    """A new account. How its owner was invited is asked where accounts are for invited people only."""

    email = EmailAddressField(max_length=254)
    password = PasswordField()
    sign_up_type = ChoiceField(SignUpType.choices, required=False, allow_null=True)
    invite_hash = serializers.CharField(max_length=100, required=False, allow_null=True, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask whether this account is taken at all, and whether the password is good."""
        check_sign_up(
            email=attrs["email"],
            sign_up_type=attrs.get("sign_up_type"),
            invite_hash=attrs.pop("invite_hash", None),
        )
        try:
            validate_password(attrs["password"], User(email=attrs["email"]))
        except ValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from error
        return attrs


class SignedTokenSerializer(serializers.Serializer):
    """Who has signed in, and what they send as `Authorization` from now on, for fourteen days."""

    id = serializers.IntegerField()
    token = serializers.CharField()


class TokenOwnerSerializer(serializers.ModelSerializer):
    """Whose token it is."""

    class Meta:
        model = User
        fields = ["id", "email"]
        read_only_fields = fields

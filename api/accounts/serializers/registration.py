"""Registering on the wire."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from rest_framework import serializers

from accounts.gates import check_sign_up
from accounts.serializers.fields import EmailAddressField, PasswordField
from core.fields import ChoiceField, ConstantField
from users.models import SignUpType, User


class RegistrationSerializer(serializers.ModelSerializer):
    """A new account."""

    # Whether it is taken is looked up last: who may not sign up isn't told.
    email = EmailAddressField(max_length=254, validators=[])
    password = PasswordField()
    first_name = serializers.CharField(max_length=150)
    last_name = serializers.CharField(max_length=150)
    sign_up_type = ChoiceField(SignUpType.choices, required=False, allow_null=True)
    invite_hash = serializers.CharField(
        max_length=100,
        write_only=True,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Of the invitation link, where accounts are for invited people only.",
    )
    superuser = serializers.BooleanField(
        write_only=True, required=False, help_text="Only as long as there is no user at all."
    )
    marketing_consent_given = ConstantField(value=True)
    key = serializers.CharField(source="auth_token.key", read_only=True, help_text="As from signing in.")

    class Meta:
        model = User
        fields = [
            "first_name",
            "last_name",
            "sign_up_type",
            "email",
            "id",
            "password",
            "is_active",
            "marketing_consent_given",
            "uuid",
            "key",
            "invite_hash",
            "superuser",
        ]
        read_only_fields = ["is_active"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask whether this account is taken at all, whether there is one, and whether the password is good.

        One of the configured rules for passwords compares it with the other fields.
        """
        check_sign_up(
            email=attrs["email"],
            sign_up_type=attrs.get("sign_up_type"),
            invite_hash=attrs.pop("invite_hash", None),
        )
        if User.objects.filter(email=attrs["email"]).exists():
            raise serializers.ValidationError({"email": ["A user with that e-mail address already exists."]})
        compared = {name: attrs[name] for name in ("email", "first_name", "last_name")}
        try:
            validate_password(attrs["password"], User(**compared))
        except ValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from error
        return attrs

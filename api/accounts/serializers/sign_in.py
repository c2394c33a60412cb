"""Signing in on the wire."""

from typing import Any

from django.contrib.auth import authenticate
from rest_framework import serializers
from rest_framework.authtoken.models import Token

from accounts.methods import PASSWORD, check_method
from accounts.serializers.fields import PasswordField
from accounts.sessions import REFUSAL
from users.models import User


class LoginSerializer(serializers.Serializer):
    """An e-mail address and a password. What is wrong with them is not said, nor whether they are locked."""

    email = serializers.CharField(max_length=254, write_only=True)
    password = PasswordField()

    default_error_messages = {"invalid_credentials": REFUSAL}
    user: User

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_method(attrs["email"], PASSWORD)
        user = authenticate(self.context["request"], **attrs)
        if user is None:
            self.fail("invalid_credentials")
        self.user = user
        return attrs


class TokenSerializer(serializers.ModelSerializer):
    """What a client sends as `Authorization: Token <key>` from now on."""

    class Meta:
        model = Token
        fields = ["key"]

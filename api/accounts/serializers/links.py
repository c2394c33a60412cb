"""What the links in mails say, on the wire."""

from typing import Any, ClassVar, NoReturn

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied

from accounts.links import activation_tokens, user_with
from users.models import User


class UidAndTokenSerializer(serializers.Serializer):
    """The two parts of a link: whose it is, and what proves it. `user` is whose it is, once it is valid."""

    uid = serializers.CharField(max_length=100, write_only=True)
    token = serializers.CharField(max_length=200, write_only=True)

    tokens: ClassVar[PasswordResetTokenGenerator]
    user: User

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = user_with(attrs["uid"])
        if user is None:
            raise serializers.ValidationError({"uid": ["Invalid user id or user doesn't exist."]})
        if not self.tokens.check_token(user, attrs["token"]):
            self.fail_token()
        self.user = user
        return attrs

    def fail_token(self) -> NoReturn:
        raise serializers.ValidationError({"token": ["Invalid token for given user."]})


class ActivationSerializer(UidAndTokenSerializer):
    """What the link in an activation mail says."""

    tokens = activation_tokens

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if self.user.is_active:
            raise PermissionDenied("This account is active already.")
        if not self.user.awaits_activation:
            self.fail_token()
        return attrs

"""One's own account on the wire."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from accounts.serializers.fields import EmailAddressField, PasswordField
from accounts.serializers.passwords import CurrentPasswordSerializer
from core.fields import ChoiceField, ConstantField
from users.models import User

_MOST_ITEMS = 100
_LONGEST_NAME = 255


class OnboardingTaskSerializer(serializers.Serializer):
    """One of the first steps that a dashboard shows, and when it was done."""

    name = serializers.CharField(max_length=_LONGEST_NAME)
    completed_at = serializers.DateTimeField(default=timezone.now)


class OnboardingToolsSerializer(serializers.Serializer):
    """What a user works with besides."""

    completed = serializers.BooleanField(default=True)
    integrations = serializers.ListField(
        child=serializers.CharField(max_length=_LONGEST_NAME), max_length=_MOST_ITEMS
    )


class OnboardingSerializer(serializers.Serializer):
    """How far a user has come with the first steps. A part that is sent replaces what was there of it."""

    tasks = OnboardingTaskSerializer(  # type: ignore[call-arg]  # of the list
        many=True, required=False, max_length=_MOST_ITEMS
    )
    tools = OnboardingToolsSerializer(required=False)
    hosting_preferences = serializers.ListField(
        child=serializers.CharField(max_length=_LONGEST_NAME), max_length=_MOST_ITEMS, required=False
    )

    default_error_messages = {"empty": "At least one of tasks, tools and hosting_preferences is required."}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            self.fail("empty")
        return attrs


class CurrentUserSerializer(serializers.ModelSerializer):
    """The caller's own account."""

    serializer_choice_field = ChoiceField

    auth_type = serializers.CharField(read_only=True, help_text="How the user signs in.")
    pylon_email_signature = ConstantField(None)
    onboarding = OnboardingSerializer(source="onboarding_data", read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = [
            "first_name",
            "last_name",
            "sign_up_type",
            "id",
            "email",
            "auth_type",
            "is_superuser",
            "date_joined",
            "uuid",
            "pylon_email_signature",
            "onboarding",
        ]
        read_only_fields = ["email", "is_superuser", "date_joined"]


class SetEmailSerializer(CurrentPasswordSerializer):
    """The address that one wants, and the password that one has."""

    new_email = EmailAddressField(max_length=254)

    def validate_new_email(self, value: str) -> str:
        user = self.context["request"].user
        if User.objects.filter(email=value).exclude(pk=user.pk).exists():
            raise serializers.ValidationError("A user with that e-mail address already exists.")
        return value


class DeletionSerializer(serializers.Serializer):
    """What has to be said to delete an account."""

    current_password = PasswordField(
        required=False, allow_blank=True, help_text="The caller's. Needed from whoever has one."
    )
    delete_orphan_organisations = serializers.BooleanField(
        default=False, help_text="Delete the organisations, too, that have no other member."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = self.context["request"].user
        if user.has_usable_password():
            if "current_password" not in attrs:
                raise serializers.ValidationError({"current_password": ["This field is required."]})
            if not user.check_password(attrs["current_password"]):
                raise serializers.ValidationError({"current_password": ["Invalid password."]})
        return attrs

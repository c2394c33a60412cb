"""One's own account on the wire."""

from rest_framework import serializers

from core.fields import ChoiceField, ConstantField
from users.models import User


class CurrentUserSerializer(serializers.ModelSerializer):
    """The caller's own account."""

    serializer_choice_field = ChoiceField

    auth_type = serializers.CharField(read_only=True, help_text="How the user signs in.")
    pylon_email_signature = ConstantField(None)
    onboarding = ConstantField(None)

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

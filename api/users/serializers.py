"""Users, as others see them."""

from rest_framework import serializers

from users.models import User


class UserSummarySerializer(serializers.ModelSerializer):
    """A user as others see them."""

    class Meta:
        model = User
        fields = ["id", "email", "first_name", "last_name", "last_login", "uuid"]
        read_only_fields = fields

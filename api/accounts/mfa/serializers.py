"""Second factors on the wire."""

from rest_framework import serializers

from accounts.mfa.models import MfaMethod


class SecondStepSerializer(serializers.Serializer):
    """What signing in answers where a second factor is active: not signed in yet."""

    ephemeral_token = serializers.CharField(help_text="For `login/code/`, for 15 minutes.")
    method = serializers.CharField(help_text="Where the code comes from: `app`.")


class SecondFactorSerializer(serializers.Serializer):
    """The second step of signing in."""

    ephemeral_token = serializers.CharField(max_length=255, write_only=True)
    code = serializers.CharField(max_length=64, write_only=True, help_text="Of the app, or a backup code.")


class EnrolmentSerializer(serializers.Serializer):
    """What the app has to know. Shown until it is confirmed, and never again."""

    qr_link = serializers.CharField(help_text="`otpauth://totp/…`, to be shown as a QR code.")
    secret = serializers.CharField(help_text="The same for typing, in base 32.")


class ConfirmationSerializer(serializers.Serializer):
    """The first code of the app."""

    code = serializers.CharField(max_length=64, write_only=True)


class BackupCodesSerializer(serializers.Serializer):
    """Codes for when the app is lost; each signs in once."""

    backup_codes = serializers.ListField(child=serializers.CharField())


class ActiveMethodSerializer(serializers.ModelSerializer):
    """A second factor that signing in asks for."""

    class Meta:
        model = MfaMethod
        fields = ["name", "is_primary"]
        read_only_fields = fields


class MfaErrorSerializer(serializers.Serializer):
    """What is refused about a second factor."""

    error = serializers.CharField()

"""The end of a sign-in with OpenID Connect on the wire."""

from rest_framework import serializers


class OidcCodeSerializer(serializers.Serializer):
    """What a dashboard got in its address, and the secret that it began with."""

    code = serializers.CharField(max_length=1024, write_only=True)
    code_verifier = serializers.CharField(
        min_length=43, max_length=128, write_only=True, help_text="Whose S256 was the `code_challenge`."
    )

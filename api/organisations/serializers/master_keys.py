"""Master keys on the wire."""

from rest_framework import serializers

from organisations.models import MasterKey


class MasterKeySerializer(serializers.ModelSerializer):
    """A master key. `key`, all of it, is answered once: when it is made."""

    id = serializers.CharField(read_only=True)
    key = serializers.CharField(source="secret", read_only=True, allow_null=True)

    class Meta:
        model = MasterKey
        fields = [
            "id",
            "prefix",
            "created",
            "name",
            "revoked",
            "expiry_date",
            "key",
            "is_admin",
            "has_expired",
            "created_by",
        ]
        read_only_fields = ["prefix", "created", "has_expired", "created_by"]

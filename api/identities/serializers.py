"""Identities and their traits on the wire of the management API."""

from typing import Any

from rest_framework import serializers

from core.fields import INT64_MAX, ChoiceField
from core.queries import QuerySerializer
from identities.models import Identity
from identities.traits import LONGEST_KEY, LONGEST_STRING, TraitValue

# The first type that fits a value: a boolean is an integer to Python.
_COLUMNS: dict[str, tuple[type, str]] = {
    "bool": (bool, "boolean_value"),
    "int": (int, "integer_value"),
    "float": (float, "float_value"),
    "unicode": (str, "string_value"),
}


class IdentitySerializer(serializers.ModelSerializer):
    identifier = serializers.CharField(max_length=2000, trim_whitespace=False)

    class Meta:
        model = Identity
        fields = ["id", "identifier", "environment", "last_seen"]
        read_only_fields = ["environment", "last_seen"]


class IdentityQuery(QuerySerializer):
    """The parameters of a list of identities."""

    q = serializers.CharField(
        required=False,
        trim_whitespace=False,
        help_text="The identifier contains this, whatever the case; in double quotes: is exactly this.",
    )


class ErasureRequestSerializer(serializers.Serializer):
    """Whom to forget, and whether only to tell what that would take."""

    identifier = serializers.CharField(max_length=2000, trim_whitespace=False)
    dry_run = serializers.BooleanField(default=False)


class ErasureSerializer(serializers.Serializer):
    """How many rows of each kind were erased, or would be."""

    identities = serializers.IntegerField()
    overrides = serializers.IntegerField()
    evaluations = serializers.IntegerField()
    audit_entries = serializers.IntegerField()


class FiniteFloatField(serializers.FloatField):
    """A number that JSON can write, so neither NaN nor an infinity."""

    def to_internal_value(self, data: Any) -> float:
        try:
            number = super().to_internal_value(data)
        except OverflowError:  # an integer of hundreds of digits
            self.fail("invalid")
        if number - number != 0:
            self.fail("invalid")
        return number


class TraitSerializer(serializers.Serializer):
    """A trait: its key, and its value in the one of four columns that `value_type` names."""

    id = serializers.IntegerField(read_only=True)
    trait_key = serializers.CharField(source="key", max_length=LONGEST_KEY, trim_whitespace=False)
    value_type = ChoiceField(choices=list(_COLUMNS), required=False)
    integer_value = serializers.IntegerField(
        min_value=-INT64_MAX - 1, max_value=INT64_MAX, required=False, allow_null=True
    )
    string_value = serializers.CharField(
        max_length=LONGEST_STRING, required=False, allow_null=True, allow_blank=True, trim_whitespace=False
    )
    boolean_value = serializers.BooleanField(required=False, allow_null=True)
    float_value = FiniteFloatField(required=False, allow_null=True)
    created_date = serializers.DateTimeField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Leave `key` and `value`, of what was sent and, in a PATCH, of the trait as it is."""
        stored = self.instance
        type_ = attrs.get("value_type") or (_type_of(stored.value) if stored and self.partial else "unicode")
        _, column = _COLUMNS[type_]
        value = attrs.get(column)
        if value is None and stored is not None and self.partial and column not in attrs:
            value = stored.value if _type_of(stored.value) == type_ else None
        if value is None:
            raise serializers.ValidationError({column: ["This field is required."]})
        return {"key": attrs.get("key", stored.key if stored else None), "value": value}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        type_ = _type_of(instance.value)
        columns = {column: None for _, column in _COLUMNS.values()}
        return {
            "id": instance.id,
            "trait_key": instance.key,
            "value_type": type_,
            **columns,
            _COLUMNS[type_][1]: instance.value,
            "created_date": self.fields["created_date"].to_representation(instance.created_date),
        }


class TraitKeysSerializer(serializers.Serializer):
    """The traits that identities of an environment have."""

    keys = serializers.ListField(child=serializers.CharField())


class TraitKeySerializer(serializers.Serializer):
    """Which trait is meant."""

    key = serializers.CharField(max_length=LONGEST_KEY, trim_whitespace=False)


class TraitDeletionQuery(QuerySerializer):
    deleteAllMatchingTraits = serializers.BooleanField(
        required=False, allow_null=True, help_text="Delete it from all identities of the environment."
    )


def _type_of(value: TraitValue) -> str:
    return next(name for name, (type_, _) in _COLUMNS.items() if isinstance(value, type_))

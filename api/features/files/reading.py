"""Files to features. They come from strangers: whatever is wrong is said with its place."""

from collections.abc import Iterator
from typing import Any

from rest_framework import serializers

from core.errors import InvalidInput
from core.fields import ChoiceField, PercentageField
from core.parsers import parse_json
from features.files.content import PortableFeature, PortableVariant
from features.models import FeatureType, ValueType
from features.models.values import FlagValue
from features.serializers.features import InitialValueField
from features.serializers.values import IntegerValueField, RawValueField
from features.services.allocations import MOST_PERCENT

MOST_BYTES = 1_000_000
MOST_FEATURES = 5_000
_MOST_REASONS = 5


def read_features(file: bytes) -> list[PortableFeature]:
    """Return what a file says.

    Raises:
        InvalidInput: of the field `file`; it is too large or malformed, or says a name twice.
    """
    if len(file) > MOST_BYTES:
        raise InvalidInput({"file": ["File size is too large."]})
    try:
        content = parse_json(file.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise InvalidInput({"file": [f"The file isn't JSON: {error}"]}) from error
    if not isinstance(content, list):
        raise InvalidInput({"file": ["The file must hold a list of features."]})
    if len(content) > MOST_FEATURES:
        raise InvalidInput(
            {"file": [f"A file may hold {MOST_FEATURES} features; this one has {len(content)}."]}
        )
    features = _Features()
    for number, item in enumerate(content, start=1):
        features.add(number, item)
    features.refuse_if_wrong()
    return features.read


class _Features:
    """What was read so far, and what was wrong with the rest."""

    def __init__(self) -> None:
        self.read: list[PortableFeature] = []
        self._wrong: list[str] = []
        self._serializer = FileFeatureSerializer()  # one for all: making its fields takes longest
        self._numbers: dict[str, int] = {}

    def add(self, number: int, item: Any) -> None:
        if len(self._wrong) > _MOST_REASONS:
            return
        try:
            feature = _feature(self._serializer.run_validation(item))
        except serializers.ValidationError as error:
            self._wrong += [f"{_place(number, item)}: {each}" for each in _reasons(error.detail)]
            return
        first = self._numbers.setdefault(feature.name.lower(), number)
        if first != number:
            self._wrong.append(f"{_place(number, item)}: Feature {first} has the same name.")
        self.read.append(feature)

    def refuse_if_wrong(self) -> None:
        if len(self._wrong) > _MOST_REASONS:
            raise InvalidInput({"file": [*self._wrong[:_MOST_REASONS], "There is more that is wrong."]})
        if self._wrong:
            raise InvalidInput({"file": self._wrong})


class FileVariantSerializer(serializers.Serializer):
    """A variant in a file."""

    value = RawValueField(required=False, default=None)
    type = ChoiceField(choices=ValueType.choices, required=False, allow_null=True)
    default_percentage_allocation = PercentageField(default=100)
    percentage_allocation = PercentageField(required=False, allow_null=True)
    key = serializers.SlugField(max_length=255, required=False, allow_null=True)

    def validate_key(self, key: str | None) -> str | None:
        if key == "control":
            raise serializers.ValidationError('"control" is a reserved variant key.')
        return key

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**attrs, "value": _typed(attrs["value"], attrs.get("type"))}


class FileFeatureSerializer(serializers.Serializer):
    """A feature in a file. Only the name has to be there.

    `type` says in some files what the feature is and in others what its value is.
    """

    name = serializers.CharField(max_length=2000)
    type = ChoiceField(choices=[*FeatureType.choices, *ValueType.choices], required=False, allow_null=True)
    default_enabled = serializers.BooleanField(default=False)
    is_server_key_only = serializers.BooleanField(default=False)
    initial_value = InitialValueField(default=None, allow_null=True, allow_blank=True, trim_whitespace=False)
    enabled = serializers.BooleanField(required=False)
    value = RawValueField(default=None)
    # Spelt out: with `many`, each of them might be null, too.
    multivariate: serializers.ListSerializer = serializers.ListSerializer(
        child=FileVariantSerializer(), required=False, allow_null=True
    )
    description = serializers.CharField(
        default=None, allow_null=True, allow_blank=True, trim_whitespace=False
    )
    is_archived = serializers.BooleanField(default=False)

    def validate_multivariate(self, variants: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
        variants = variants or []
        keys = [each["key"] for each in variants if each.get("key") is not None]
        if len(set(keys)) < len(keys):
            raise serializers.ValidationError(
                "Multivariate option with this key already exists for the feature."
            )
        for share in (_first_share, _share):
            if sum(map(share, variants)) > MOST_PERCENT:
                raise serializers.ValidationError("Multivariate percentage values exceed 100%.")
        return variants

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        type_ = attrs.get("type")
        if type_ in ValueType.values:
            attrs["value"] = _typed(attrs["value"], type_)
        return attrs


def _feature(data: dict[str, Any]) -> PortableFeature:
    variants = tuple(
        PortableVariant(
            value=each["value"],
            key=each.get("key"),
            default_percentage_allocation=_first_share(each),
            percentage_allocation=_share(each),
        )
        for each in data.get("multivariate") or []
    )
    is_varied = variants or data.get("type") == FeatureType.MULTIVARIATE
    return PortableFeature(
        name=data["name"],
        type=FeatureType.MULTIVARIATE if is_varied else FeatureType.STANDARD,
        default_enabled=data["default_enabled"],
        initial_value=data["initial_value"],
        is_server_key_only=data["is_server_key_only"],
        enabled=data.get("enabled", data["default_enabled"]),
        value=data["value"],
        variants=variants,
        description=data["description"],
        is_archived=data["is_archived"],
    )


def _first_share(variant: dict[str, Any]) -> float:
    return float(variant["default_percentage_allocation"])


def _share(variant: dict[str, Any]) -> float:
    share = variant.get("percentage_allocation")
    return _first_share(variant) if share is None else float(share)


def _typed(value: FlagValue, type_: str | None) -> FlagValue:
    """Return the value in the type that the file names for it: `"True"` of type `bool` is true."""
    if value is None or type_ is None:
        return value
    if type_ == ValueType.BOOLEAN:
        field: serializers.Field = serializers.BooleanField()
    elif type_ == ValueType.INTEGER:
        field = IntegerValueField()
    else:
        return str(value)
    try:
        return field.run_validation(value)  # type: ignore[no-any-return]
    except serializers.ValidationError as error:
        raise serializers.ValidationError({"value": error.detail}) from error


def _place(number: int, item: Any) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    # Half characters, which no answer could carry, are replaced.
    shown = f" ('{name:.100}')".encode("utf-8", "replace").decode() if isinstance(name, str) else ""
    return f"Feature {number}{shown}"


def _reasons(errors: Any, path: str = "") -> Iterator[str]:
    """Yield each reason with its place in the feature: `multivariate 2, value: Must be a valid boolean.`"""
    if isinstance(errors, dict):
        for key, below in errors.items():
            if isinstance(key, int):  # of the items of a list
                at = f"{path} {key + 1}"
            else:
                at = ", ".join(part for part in (path, key) if part and part != "non_field_errors")
            yield from _reasons(below, at)
    else:
        yield from (f"{path}: {each}" if path else str(each) for each in errors)

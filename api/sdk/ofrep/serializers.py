"""The shapes of OFREP's requests and answers, for the API's description."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field, inline_serializer
from rest_framework import serializers

from sdk.ofrep.errors import ErrorCode
from sdk.ofrep.items import Reason
from sdk.ofrep.requests import TARGETING_KEY

_SCALARS = [{"type": "boolean"}, {"type": "string"}, {"type": "number"}]
_CONTEXT: dict[str, Any] = {
    "type": "object",
    "properties": {
        TARGETING_KEY: {"type": "string", "description": "Whom flags are evaluated for: the identifier."}
    },
    "additionalProperties": True,
    "description": "Attributes are traits for this evaluation. Nothing is stored.",
}


@extend_schema_field(_CONTEXT)
class ContextField(serializers.JSONField):
    """An evaluation context."""


@extend_schema_field({"oneOf": [*_SCALARS, {"type": "object"}]})
class OfrepValueField(serializers.JSONField):
    """A flag's value, in its own type."""


@extend_schema_field({"type": "object", "additionalProperties": {"oneOf": _SCALARS}})
class MetadataField(serializers.JSONField):
    """A flat map."""


class OfrepEvaluationSerializer(serializers.Serializer):
    context = ContextField(required=False)  # type: ignore[assignment]  # hides a property of serializers


class OfrepFlagSerializer(serializers.Serializer):
    key = serializers.CharField()
    value = OfrepValueField(required=False, help_text="Left out where the code's default counts.")
    reason = serializers.ChoiceField([reason.value for reason in Reason])
    variant = serializers.CharField()
    metadata = MetadataField()


class OfrepFailureSerializer(serializers.Serializer):
    key = serializers.CharField(required=False)
    errorCode = serializers.ChoiceField([code.value for code in ErrorCode])
    errorDetails = serializers.CharField()
    metadata = MetadataField()


class OfrepEventStreamSerializer(serializers.Serializer):
    type = serializers.CharField(help_text="Always `sse`.")
    endpoint = inline_serializer("OfrepEndpoint", {"requestUri": serializers.CharField()})
    inactivityDelaySec = serializers.IntegerField()


class OfrepFlagsSerializer(serializers.Serializer):
    flags = PolymorphicProxySerializer(
        component_name="OfrepItem",
        serializers=[OfrepFlagSerializer, OfrepFailureSerializer],
        resource_type_field_name=None,
        many=True,
    )
    metadata = inline_serializer("OfrepVersion", {"version": serializers.CharField()})
    eventStreams = OfrepEventStreamSerializer(many=True, required=False)

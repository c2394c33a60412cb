"""`analytics/`: what SDKs count. They send it every few seconds and never wait for the answer."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sdk import usage
from sdk.serializers import DETAIL, INVALID
from sdk.views.base import SdkView


class EvaluationCountsView(SdkView):
    """Counts by feature name: `{"new_checkout": 12}`. What can't be counted is dropped."""

    @extend_schema(
        operation_id="record_evaluations",
        tags=["sdk"],
        request={"application/json": {"type": "object", "additionalProperties": {"type": "integer"}}},
        responses={200: {"type": "object"}, 400: INVALID, 403: DETAIL},
    )
    def post(self, request: Request) -> Response:
        if not isinstance(request.data, dict):
            raise ValidationError({"non_field_errors": ["Expected a JSON object."]})
        usage.count_evaluations_from_thread(
            self.access.environment_id, usage.counted(self.snapshot, request.data)
        )
        return Response({})  # the Java SDK sends everything again when there is no JSON to read


class CountField(serializers.IntegerField):
    """A number of things, nought to `usage.HIGHEST_COUNT`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": usage.HIGHEST_COUNT, **options})


class EvaluationSerializer(serializers.Serializer):
    """Evaluations of one feature for one identity, or for nobody in particular."""

    feature_name = serializers.CharField()
    identity_identifier = serializers.CharField(
        max_length=2000, required=False, allow_null=True, allow_blank=True
    )
    enabled_when_evaluated = serializers.BooleanField()
    count = CountField()


class EvaluationsSerializer(serializers.Serializer):
    evaluations = EvaluationSerializer(many=True)


class EvaluationsView(SdkView):
    """Evaluations with whom they were for and what was served."""

    @extend_schema(
        operation_id="record_identity_evaluations",
        tags=["sdk"],
        request=EvaluationsSerializer,
        responses={204: None, 400: INVALID, 403: DETAIL},
    )
    def post(self, request: Request) -> Response:
        given = EvaluationsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        names = self.snapshot.names_in_lower_case
        usage.count_identity_evaluations_from_thread(
            self.access.environment_id,
            [
                usage.IdentityEvaluation(
                    feature_name=names[each["feature_name"].lower()],
                    identifier=each.get("identity_identifier") or "",
                    enabled=each["enabled_when_evaluated"],
                    times=each["count"],
                )
                for each in given.validated_data["evaluations"]
                if each["count"] and each["feature_name"].lower() in names
            ],
        )
        return Response(status=204)


class TelemetrySerializer(serializers.Serializer):
    """How much a server has of what."""

    organisations = CountField()
    projects = CountField()
    environments = CountField()
    features = CountField()
    segments = CountField()
    users = CountField()
    debug_enabled = serializers.BooleanField()
    env = serializers.CharField()


class TelemetryView(APIView):
    """Where other servers report their size. Accepted, so that none of them sees an error, and dropped."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="report_telemetry",
        tags=["analytics"],
        request=TelemetrySerializer,
        responses={201: TelemetrySerializer, 400: INVALID},
    )
    def post(self, request: Request) -> Response:
        given = TelemetrySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(given.data, status=201)

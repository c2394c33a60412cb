"""What Flagsmith's dashboard asks of Slack besides.

Installing an app in a workspace takes one that is registered with Slack, which this server isn't. Whoever
administers an environment gives the token of an app of their own instead: `api_token`.
"""

from django.core.signing import TimestampSigner
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from environments.scope import InEnvironment
from permissions.catalogue import ADMIN

_SALT = "integrations.slack"
_NO_TOKEN = "Slack api token not found. Please generate the token using oauth"  # noqa: S105
_NOT_CONFIGURED = "Slack is not configured"


class SlackSignatureSerializer(serializers.Serializer):
    signature = serializers.CharField()


class NoTokenSerializer(serializers.Serializer):
    detail = serializers.CharField()


class SlackRefusalSerializer(serializers.Serializer):
    message = serializers.CharField()


class SlackChannelsView(InEnvironment):
    """The channels of a workspace. Nobody has let this server list them: the channel's id is typed in."""

    read_permission = ADMIN
    serializer_class = NoTokenSerializer

    @extend_schema(
        operation_id="list_slack_channels",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={400: NoTokenSerializer},
    )
    def get(self, request: Request, environment_key: str) -> Response:
        return Response({"detail": _NO_TOKEN}, status=400)


class SlackSignatureView(InEnvironment):
    """What shows to the next page who has begun to connect with Slack."""

    read_permission = ADMIN
    serializer_class = SlackSignatureSerializer

    @extend_schema(operation_id="get_slack_signature", responses=SlackSignatureSerializer)
    def get(self, request: Request, environment_key: str) -> Response:
        caller = f"{self.environment.pk}:{request.user.pk}"
        return Response({"signature": TimestampSigner(salt=_SALT).sign(caller)})


class SlackInstallationView(APIView):
    """The way to Slack and back: a browser comes here without credentials, with a signature."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(responses={503: SlackRefusalSerializer})
    def get(self, request: Request, environment_key: str) -> Response:
        return Response({"message": _NOT_CONFIGURED}, status=503)

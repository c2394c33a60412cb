"""What Flagsmith's dashboard asks of Slack besides: the way into a workspace, and the channels there.

The dashboard asks for a signature as whoever administers the environment, and sends their browser to `oauth/`
with it, where no credentials come along. The session keeps what that browser has begun until Slack sends it
to `callback/`. The token that Slack gives is kept for the project, as its `slack-workspace`.
"""

from typing import Any

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.crypto import constant_time_compare, get_random_string
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import InvalidInput
from core.site import is_ours, site_url
from environments.models import Environment
from environments.scope import InEnvironment, environment_with
from integrations import slack_app
from integrations.selectors import shared_configuration
from integrations.services import keep_workspace_token
from integrations.vendors.slack import WORKSPACE
from permissions.access import may
from permissions.catalogue import ADMIN
from users.models import User

# Long enough to sign in at Slack.
_SECONDS = 15 * 60
_SALT = _BEGUN = "integrations.slack"
_NO_TOKEN = {"detail": "Slack api token not found. Please generate the token using oauth"}
_NOT_CONFIGURED = {"message": "Slack is not configured"}


class SlackSignatureSerializer(serializers.Serializer):
    signature = serializers.CharField()


class SlackChannelSerializer(serializers.Serializer):
    channel_name = serializers.CharField()
    channel_id = serializers.CharField()


class SlackChannelsSerializer(serializers.Serializer):
    cursor = serializers.CharField()
    channels = SlackChannelSerializer(many=True)


class SlackChannelsQuerySerializer(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, default=20)
    cursor = serializers.CharField(max_length=500, allow_blank=True, default="")


class NoTokenSerializer(serializers.Serializer):
    detail = serializers.CharField()


class SlackRefusalSerializer(serializers.Serializer):
    message = serializers.CharField()


class SlackChannelsView(InEnvironment):
    """The public channels of the workspace that the project is let into."""

    read_permission = ADMIN
    serializer_class = SlackChannelsSerializer

    @extend_schema(
        operation_id="list_slack_channels",
        parameters=[SlackChannelsQuerySerializer],
        responses={200: SlackChannelsSerializer, 400: NoTokenSerializer},
    )
    def get(self, request: Request, environment_key: str) -> Response:
        query = SlackChannelsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        token = shared_configuration(WORKSPACE, self.environment.project_id)["api_token"]
        channels = slack_app.channels(token, **query.validated_data) if token else None
        return Response(_NO_TOKEN, status=400) if channels is None else Response(channels)


class SlackSignatureView(InEnvironment):
    """What shows to the next page who has begun to connect with Slack."""

    read_permission = ADMIN
    serializer_class = SlackSignatureSerializer

    @extend_schema(operation_id="get_slack_signature", responses=SlackSignatureSerializer)
    def get(self, request: Request, environment_key: str) -> Response:
        begun = {"environment": self.environment.pk, "user": request.user.pk}
        return Response({"signature": signature_of(begun)})


def signature_of(begun: dict[str, Any]) -> str:
    """Return what shows for a while which user has begun in which environment: `{"environment", "user"}`."""
    return TimestampSigner(salt=_SALT).sign_object(begun)


class SlackPage(APIView):
    """A page that a browser comes to without credentials, on its way to Slack or back."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def environment_of(self, begun: dict[str, Any]) -> Environment:
        """Return the environment in the path, if it is what was begun with, by one of its administrators.

        What is written after this is written by them.

        Raises:
            PermissionDenied: it isn't.
        """
        environment = environment_with(self.kwargs["environment_key"])
        user = User.objects.filter(pk=begun["user"], is_active=True).first()
        if environment is None or environment.pk != begun["environment"] or user is None:
            raise PermissionDenied
        if not may(user, ADMIN, environment):
            raise PermissionDenied
        self.request.user = user
        return environment

    def callback(self) -> str:
        key = self.kwargs["environment_key"]
        return site_url(self.request) + reverse("slack-callback", args=[key])


class SlackOauthView(SlackPage):
    @extend_schema(
        operation_id="connect_slack",
        parameters=[OpenApiParameter("redirect_url", str), OpenApiParameter("signature", str)],
        responses={302: None, 503: SlackRefusalSerializer},
    )
    def get(self, request: Request, environment_key: str) -> HttpResponseBase:
        """Send a browser to Slack, which asks whether it lets this server in."""
        if not slack_app.is_configured():
            return Response(_NOT_CONFIGURED, status=503)
        signature, goal = (request.query_params.get(name, "") for name in ("signature", "redirect_url"))
        try:
            begun = TimestampSigner(salt=_SALT).unsign_object(signature, max_age=_SECONDS)
        except BadSignature as error:
            raise PermissionDenied("The signature isn't valid, or is too old.") from error
        self.environment_of(begun)
        if not is_ours(request, goal):
            raise InvalidInput({"redirect_url": ["It isn't an address of this installation."]})
        state = get_random_string(32)
        request.session[_BEGUN] = {**begun, "state": state, "goal": goal}
        if not request._request.user.is_authenticated:
            request.session.set_expiry(_SECONDS)
        return HttpResponseRedirect(slack_app.authorisation_url(self.callback(), state))


class SlackCallbackView(SlackPage):
    @extend_schema(
        operation_id="finish_connecting_slack",
        parameters=[OpenApiParameter("code", str), OpenApiParameter("state", str)],
        responses={302: None, 503: SlackRefusalSerializer},
    )
    def get(self, request: Request, environment_key: str) -> HttpResponseBase:
        """Keep what Slack lets this server in with, and send the browser back to where it came from."""
        if not slack_app.is_configured():
            return Response(_NOT_CONFIGURED, status=503)
        begun = request.session.pop(_BEGUN, None)
        if begun is None or not constant_time_compare(begun["state"], request.query_params.get("state", "")):
            raise PermissionDenied("This wasn't begun in this browser, or is too old. Begin again.")
        environment = self.environment_of(begun)
        if code := request.query_params.get("code"):  # there is none where somebody has said no
            keep_workspace_token(environment.project, slack_app.token_for(code, self.callback()))
        return HttpResponseRedirect(begun["goal"])

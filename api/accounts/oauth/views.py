"""Signing in with Google and GitHub."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.external import NotVouchedFor, Person, ProviderError, account_of
from accounts.oauth import github, google
from accounts.oauth.serializers import MessageSerializer, OAuthSerializer, OAuthTokenSerializer
from accounts.oauth.services import link
from accounts.sessions import sign_in
from core.throttling import ScopedThrottle

_ANSWERS = {200: OAuthTokenSerializer, 400: MessageSerializer, 502: MessageSerializer}


class OAuthView(APIView):
    """Signs in whom a provider vouches for. A second factor is the provider's business then."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [ScopedThrottle]
    throttle_scope = "login"

    def identify(self, credential: str) -> Person:
        """Return whom the provider says this credential is of."""
        raise NotImplementedError

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, ProviderError | NotVouchedFor):
            return Response({"message": str(exc)}, status=exc.status_code)
        return super().handle_exception(exc)

    def sign_in(self, request: Request) -> Response:
        serializer = OAuthSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        person = self.identify(given["access_token"])
        user, is_new = account_of(
            person, sign_up_type=given.get("sign_up_type"), invite_hash=given.get("invite_hash")
        )
        link(user, person)
        response = sign_in(request, user)
        if response.data:  # in cookie mode there is nothing to say
            response.data["is_new_user"] = is_new
        return response


class GoogleView(OAuthView):
    def identify(self, credential: str) -> Person:
        return google.identify(credential)

    @extend_schema(operation_id="login_with_google", request=OAuthSerializer, responses=_ANSWERS)
    def post(self, request: Request) -> Response:
        """Exchange an access token of Google for a token."""
        return self.sign_in(request)


class GitHubView(OAuthView):
    def identify(self, credential: str) -> Person:
        return github.identify(credential)

    @extend_schema(operation_id="login_with_github", request=OAuthSerializer, responses=_ANSWERS)
    def post(self, request: Request) -> Response:
        """Exchange an authorisation code of GitHub for a token."""
        return self.sign_in(request)

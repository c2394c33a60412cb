"""The last step of a dashboard's sign-in with OpenID Connect."""

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.oauth.serializers import OAuthTokenSerializer
from accounts.oidc.serializers import OidcCodeSerializer
from accounts.oidc.services import user_of_code
from accounts.sessions import sign_in
from core.throttling import ScopedThrottle


class CodeView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [ScopedThrottle]
    throttle_scope = "login"

    @extend_schema(
        operation_id="exchange_oidc_code", request=OidcCodeSerializer, responses=OAuthTokenSerializer
    )
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Exchange the code in a dashboard's address for a token. It works once, for a minute."""
        given = OidcCodeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user, is_new = user_of_code(given.validated_data["code"], given.validated_data["code_verifier"])
        response = sign_in(request, user)
        if response.data:
            response.data["is_new_user"] = is_new
        return response

"""Second factors: switching them on and off, and the second step of signing in."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.mfa import services, tokens, totp
from accounts.mfa.models import APP, MfaMethod
from accounts.mfa.serializers import (
    ActiveMethodSerializer,
    BackupCodesSerializer,
    ConfirmationSerializer,
    EnrolmentSerializer,
    MfaErrorSerializer,
    SecondFactorSerializer,
)
from accounts.serializers.sign_in import TokenSerializer
from accounts.sessions import sign_in
from accounts.throttles import CodeThrottle
from core.throttling import ScopedThrottle
from permissions.callers import IsUser
from users.models import User

_METHOD = OpenApiParameter("method", str, OpenApiParameter.PATH, enum=[APP])


class MfaView(APIView):
    """Renders refusals as `{"error": "…"}`, the shape that is particular to second factors."""

    permission_classes = [IsUser]

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, services.MfaError):
            return Response({"error": str(exc)}, status=exc.status_code)
        return super().handle_exception(exc)

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def read(self, serializer_class: type[Serializer]) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class ActivationView(MfaView):
    @extend_schema(
        operation_id="activate_mfa_method",
        parameters=[_METHOD],
        request=None,
        responses={200: EnrolmentSerializer, 400: MfaErrorSerializer, 404: None},
    )
    def post(self, request: Request, method: str) -> Response:
        """Return the secret that the app needs. Signing in asks for codes once one has confirmed it."""
        if method != APP:
            return Response(status=status.HTTP_404_NOT_FOUND)
        secret = services.begin_activation(self.user).secret
        return Response({"qr_link": totp.enrolment_link(secret, self.user.email), "secret": secret})


class ConfirmationView(MfaView):
    @extend_schema(
        operation_id="confirm_mfa_method",
        parameters=[_METHOD],
        request=ConfirmationSerializer,
        responses=BackupCodesSerializer,
    )
    def post(self, request: Request, method: str) -> Response:
        """Switch the second factor on with its first code."""
        code = self.read(ConfirmationSerializer)["code"]
        return Response({"backup_codes": services.confirm_activation(self.user, method, code)})


class DeactivationView(MfaView):
    @extend_schema(
        operation_id="deactivate_mfa_method",
        parameters=[_METHOD],
        request=None,
        responses={204: None, 400: MfaErrorSerializer},
    )
    def post(self, request: Request, method: str) -> Response:
        """Switch the second factor off."""
        services.deactivate(self.user, method)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(get=extend_schema(operation_id="list_active_mfa_methods"))
class ActiveMethodsView(generics.ListAPIView):
    """The caller's second factors."""

    serializer_class = ActiveMethodSerializer
    permission_classes = [IsUser]
    pagination_class = None
    queryset = MfaMethod.objects.filter(is_active=True)

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(user=self.request.user.pk)


class CodeView(MfaView):
    """Signs in who has shown a right password before."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [ScopedThrottle, CodeThrottle]
    throttle_scope = "mfa_code"

    @extend_schema(
        operation_id="login_with_code",
        request=SecondFactorSerializer,
        responses={200: TokenSerializer, 401: MfaErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        """Exchange the token of the first step and a code for a token."""
        given = self.read(SecondFactorSerializer)
        user = tokens.user_of(given["ephemeral_token"])
        if user is None or not services.is_right(request, user, given["code"]):
            return Response({"error": "Invalid or expired code."}, status=status.HTTP_401_UNAUTHORIZED)
        return sign_in(request, user)

"""Signing in and out, registering, and one's own account."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.authtoken.models import Token
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from accounts.gates import sign_in_permissions, sign_up_permissions
from accounts.serializers import (
    CurrentUserSerializer,
    LoginSerializer,
    RegistrationSerializer,
    TokenSerializer,
)
from accounts.services import note_use, register_user
from accounts.sessions import sign_in, sign_out
from users.models import User


class LoginView(generics.GenericAPIView):
    """Signs in. Credentials that the request brings along mean nothing, so stale ones do no harm."""

    serializer_class = LoginSerializer
    authentication_classes = []
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "login"

    def get_permissions(self) -> list[Any]:
        return sign_in_permissions()

    @extend_schema(operation_id="login", responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        """Exchange e-mail address and password for a token."""
        credentials = LoginSerializer(data=request.data, context=self.get_serializer_context())
        credentials.is_valid(raise_exception=True)
        return sign_in(request, credentials.user)


class LogoutView(APIView):
    @extend_schema(operation_id="logout", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Delete the caller's token, which signs all of their clients out."""
        sign_out(request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TokenView(APIView):
    @extend_schema(operation_id="delete_token", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Delete the caller's token."""
        sign_out(request)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(post=extend_schema(operation_id="register_user"))
class RegistrationView(generics.CreateAPIView):
    """Makes an account, and signs it in."""

    serializer_class = RegistrationSerializer
    authentication_classes = []
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "signup"

    def get_permissions(self) -> list[Any]:
        return sign_up_permissions()

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = register_user(**serializer.validated_data)
        Token.objects.create(user=serializer.instance)


@extend_schema_view(
    get=extend_schema(operation_id="get_current_user"),
    put=extend_schema(operation_id="update_current_user"),
    patch=extend_schema(operation_id="patch_current_user"),
)
class CurrentUserView(generics.RetrieveUpdateAPIView):
    """The caller's own account."""

    serializer_class = CurrentUserSerializer

    def get_object(self) -> User:
        return cast(User, self.request.user)

    def get(self, request: Request, *args: Any, **path: Any) -> Response:
        note_use(self.get_object())
        return super().get(request, *args, **path)

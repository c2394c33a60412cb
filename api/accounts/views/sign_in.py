"""Signing in and out."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.gates import sign_in_permissions
from accounts.mfa.serializers import SecondStepSerializer
from accounts.mfa.services import active_method
from accounts.mfa.tokens import make_token
from accounts.serializers.sign_in import LoginSerializer, TokenSerializer
from accounts.sessions import sign_in, sign_out
from accounts.throttles import AccountThrottle
from core.throttling import ScopedThrottle


class LoginView(generics.GenericAPIView):
    """Signs in. Credentials that the request brings along mean nothing, so stale ones do no harm."""

    serializer_class = LoginSerializer
    authentication_classes = []
    throttle_classes = [ScopedThrottle, AccountThrottle]
    throttle_scope = "login"

    def get_permissions(self) -> list[Any]:
        return sign_in_permissions()

    @extend_schema(
        operation_id="login",
        responses=PolymorphicProxySerializer(
            "SignIn", [TokenSerializer, SecondStepSerializer], resource_type_field_name=None
        ),
    )
    def post(self, request: Request) -> Response:
        """Exchange e-mail address and password for a token, or for the second step where one is active."""
        credentials = LoginSerializer(data=request.data, context=self.get_serializer_context())
        credentials.is_valid(raise_exception=True)
        method = active_method(credentials.user)
        if method is not None:
            token = make_token(credentials.user)
            return Response(SecondStepSerializer({"ephemeral_token": token, "method": method.name}).data)
        return sign_in(request, credentials.user)


class LogoutView(APIView):
    @extend_schema(operation_id="logout", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Delete the caller's token, which signs all of their clients out."""
        return sign_out(request)


class TokenView(APIView):
    @extend_schema(operation_id="delete_token", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Delete the caller's token."""
        return sign_out(request)

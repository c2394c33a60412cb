"""Signing up and in for a signed token."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth import user_logged_in
from django.db import IntegrityError
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.gates import sign_in_permissions, sign_up_permissions
from accounts.mfa.services import active_method
from accounts.serializers.sign_in import LoginSerializer
from accounts.services.registration import register_user
from accounts.sessions import REFUSAL
from accounts.token_api.serializers import SignedTokenSerializer, SignUpSerializer, TokenOwnerSerializer
from accounts.views.registration import RegistrationView
from accounts.views.sign_in import LoginView
from core.errors import DomainError, Problem, problem_handler
from users.authentication import BareTokenAuthentication
from users.models import User
from users.signed_tokens import signed_token


class AddressTakenError(DomainError):
    """There is an account with this address."""

    status_code = status.HTTP_409_CONFLICT
    code = "address_taken"


class CredentialsRefusedError(DomainError):
    """Wrong, unknown, inactive or locked: which of them isn't told."""

    status_code = status.HTTP_401_UNAUTHORIZED
    code = "credentials_refused"


class SecondFactorNeededError(DomainError):
    """A password alone is not enough for this account."""

    status_code = status.HTTP_401_UNAUTHORIZED
    code = "second_factor_needed"


class TokenApiView(generics.GenericAPIView):
    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return problem_handler


class TokenUserView(TokenApiView):
    """Makes accounts, and tells whose a token is. A new account's request needs no credentials."""

    serializer_class = SignUpSerializer
    throttle_scope = RegistrationView.throttle_scope

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [BareTokenAuthentication()] if self._asks_who else []

    def get_permissions(self) -> list[Any]:
        return [IsAuthenticated()] if self._asks_who else sign_up_permissions()

    def get_throttles(self) -> list[Any]:
        return [] if self._asks_who else [throttle() for throttle in RegistrationView.throttle_classes]

    @property
    def _asks_who(self) -> bool:
        return self.request is not None and self.request.method in {"GET", "HEAD"}

    @extend_schema(
        operation_id="sign_up_for_token",
        responses={201: SignedTokenSerializer, 400: Problem, 403: Problem, 409: Problem},
    )
    def post(self, request: Request) -> Response:
        """Make an account, and sign it in."""
        wanted = SignUpSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            user = register_user(first_name="", last_name="", **wanted.validated_data)
        except IntegrityError as error:
            raise AddressTakenError("A user with that e-mail address already exists.") from error
        return Response(
            SignedTokenSerializer({"id": user.pk, "token": signed_token(user)}).data,
            status=status.HTTP_201_CREATED,
        )

    @extend_schema(operation_id="get_token_owner", responses={200: TokenOwnerSerializer, 401: Problem})
    def get(self, request: Request) -> Response:
        """Tell whose token the request brings: after `Token`, after `Bearer`, or alone."""
        return Response(TokenOwnerSerializer(request.user).data)


class AuthenticateView(TokenApiView):
    """Signs in as `auth/login/` does, with the same limits."""

    serializer_class = LoginSerializer
    authentication_classes = LoginView.authentication_classes
    throttle_classes = LoginView.throttle_classes
    throttle_scope = LoginView.throttle_scope

    def get_permissions(self) -> list[Any]:
        return sign_in_permissions()

    @extend_schema(
        operation_id="authenticate",
        responses={200: SignedTokenSerializer, 400: Problem, 401: Problem, 429: Problem},
    )
    def post(self, request: Request) -> Response:
        """Exchange e-mail address and password for a signed token."""
        credentials = LoginSerializer(data=request.data, context=self.get_serializer_context())
        if not credentials.is_valid() and _are_refused(credentials):
            raise CredentialsRefusedError(REFUSAL)
        credentials.is_valid(raise_exception=True)
        user = credentials.user
        if active_method(user) is not None:
            raise SecondFactorNeededError("This account has a second factor: sign in at auth/login/.")
        user_logged_in.send(sender=User, request=request, user=user)
        return Response(SignedTokenSerializer({"id": user.pk, "token": signed_token(user)}).data)


def _are_refused(credentials: LoginSerializer) -> bool:
    """Whether what is wrong is what was sent, and not how."""
    reasons = cast(dict[str, Any], credentials.errors).get("non_field_errors", [])
    return any(reason.code == "invalid_credentials" for reason in reasons)

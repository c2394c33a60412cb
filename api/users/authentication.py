"""Who calls the management API."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from users.signed_tokens import looks_signed, owner_of


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token <token>`: 40 hex digits from signing in, or a signed token."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        if not looks_signed(key):
            return super().authenticate_credentials(key)
        user = owner_of(key)
        if user is None:
            raise AuthenticationFailed("Invalid token.")
        return user, key

    def authenticate_header(self, request: Request) -> str:
        # The challenge of a 401 that Flagsmith's clients know.
        return 'Cookie realm="api"'


class BareTokenAuthentication(TokenAuthentication):
    """The same tokens, after `Token`, after `Bearer`, or alone."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        words = get_authorization_header(request).split()
        if not words:
            return None
        if len(words) == 2 and words[0].lower() in {b"token", b"bearer"}:
            words = words[1:]
        try:
            (key,) = words
            return self.authenticate_credentials(key.decode())
        except ValueError as error:  # more words, or no text
            raise AuthenticationFailed("Invalid token.") from error

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class BareTokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names it."""

    target_class = BareTokenAuthentication
    name = "bearerAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}

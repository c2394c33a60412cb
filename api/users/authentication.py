"""Who calls the management API."""

from rest_framework import authentication
from rest_framework.request import Request


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token <40 hex digits>`: a user's token from signing in."""

    def authenticate_header(self, request: Request) -> str:
        # The challenge of a 401 that Flagsmith's clients know.
        return 'Cookie realm="api"'

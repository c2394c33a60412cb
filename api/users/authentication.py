"""Who calls the management API."""

from rest_framework import authentication


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token <40 hex digits>`: a user's token from signing in."""

"""Tokens that say themselves who they are for and how long: JSON Web Tokens, signed with the secret key.

One is bound to what the user's sessions are bound to, and so ends with them: with a new password,
deactivation, or signing out.
"""

from datetime import timedelta

import jwt
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from users.models import User

LIFETIME = timedelta(days=14)
_ALGORITHM = "HS256"
# Nothing else that is signed with the same key passes for one of these, nor the other way round.
_AUDIENCE = "burgee:api"
_CLAIMS = ["aud", "exp", "iat", "session", "sub"]


def signed_token(user: User) -> str:
    """Return a token with which `user` uses the API for fourteen days."""
    now = timezone.now()
    claims = {
        "aud": _AUDIENCE,
        "sub": str(user.pk),
        "session": user.get_session_auth_hash(),
        "iat": now,
        "exp": now + LIFETIME,
    }
    return jwt.encode(claims, settings.SECRET_KEY, _ALGORITHM)


def looks_signed(token: str) -> bool:
    """Whether this is a signed token rather than a key that stands in the database."""
    return token.count(".") == 2


def owner_of(token: str) -> User | None:
    """Return who a token is for; None where it is forged, has expired, or has ended."""
    try:
        claims = jwt.decode(
            token, settings.SECRET_KEY, [_ALGORITHM], audience=_AUDIENCE, options={"require": _CLAIMS}
        )
        user = User.objects.get(pk=int(claims["sub"]), is_active=True)
    except (jwt.InvalidTokenError, ValueError, User.DoesNotExist):
        return None
    return user if constant_time_compare(claims["session"], user.get_session_auth_hash()) else None

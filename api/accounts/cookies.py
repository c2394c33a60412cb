"""Cookie mode: browsers hold their sign-in in a cookie that no script can read.

The cookie is a signed token that names the user and what their sessions are bound to. So it ends with
them, at once and on every worker: with a new password, deactivation, or signing out. It is issued where
`COOKIE_AUTH_ENABLED` is on, and accepted always.

A browser sends cookies with whatever request any page makes it send. A request that changes something counts
therefore only if it comes from a page of this installation, or of an origin that the settings name.
"""

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal
from urllib.parse import urlsplit

import jwt
from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from core.site import site_url
from users.models import User

NAME = "jwt"
_ALGORITHM = "HS256"


def set_on(response: HttpResponseBase, user: User) -> None:
    """Let the browser that gets `response` be signed in as `user`."""
    lifetime = timedelta(minutes=settings.COOKIE_AUTH_JWT_ACCESS_TOKEN_LIFETIME_MINUTES)
    now = timezone.now()
    claims = {
        "token_type": "sliding",
        "user_id": user.pk,
        "session": user.get_session_auth_hash(),
        "iat": now,
        "exp": now + lifetime,
    }
    response.set_cookie(
        NAME,
        jwt.encode(claims, _signing_key(), _ALGORITHM),
        max_age=lifetime,
        httponly=True,
        secure=settings.USE_SECURE_COOKIES,
        samesite=_same_site(),
    )


def clear(response: Response) -> None:
    """Let the browser forget the cookie."""
    response.delete_cookie(NAME, samesite=_same_site())


def _same_site() -> Literal["Lax", "Strict", "None"]:
    same_site: Literal["Lax", "Strict", "None"] = settings.COOKIE_SAME_SITE  # type: ignore[assignment]
    return same_site


def user_of(token: str) -> User | None:
    """Return whose cookie this is; None where it is forged, has expired, or its session has ended."""
    try:
        claims = jwt.decode(token, _signing_key(), [_ALGORITHM], options={"require": ["exp", "session"]})
        user = User.objects.get(pk=claims["user_id"], is_active=True)
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, User.DoesNotExist):
        return None
    return user if constant_time_compare(claims["session"], user.get_session_auth_hash()) else None


def _signing_key() -> str:
    return settings.COOKIE_AUTH_JWT_SIGNING_KEY or settings.SECRET_KEY


class CookieAuthentication(BaseAuthentication):
    """The cookie `jwt`. One that isn't valid means nothing: the request goes on without it."""

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        """Return whose cookie the request brings.

        Raises:
            PermissionDenied: it would change something, and comes from a page that may not do that.
        """
        token = request.COOKIES.get(NAME)
        user = user_of(token) if token else None
        if user is None:
            return None
        if request.method not in SAFE_METHODS:
            _check_origin(request)
        return user, str(token)

    def authenticate_header(self, request: Request) -> str:
        return 'Cookie realm="api"'


def check_page(request: Request) -> None:
    """Refuse to sign a browser in that a page of another site makes ask: it would act as someone else then.

    Raises:
        PermissionDenied: cookie mode is on, and that is the case.
    """
    # By Origin alone: who comes back from an identity provider has its page as the Referer.
    origin = request.headers.get("Origin")
    if settings.COOKIE_AUTH_ENABLED and origin and not _is_trusted(origin, request):
        raise PermissionDenied(f"Pages of {origin:.200} may not sign anybody in.")


def _check_origin(request: Request) -> None:
    origin = _origin(request)
    if not origin:
        raise PermissionDenied(
            "Signed in by cookie, a request that changes something needs an Origin or Referer header."
        )
    if not _is_trusted(origin, request):
        raise PermissionDenied(f"Pages of {origin:.200} may not change anything with this cookie.")


def _origin(request: Request) -> str:
    return request.headers.get("Origin") or _origin_of(request.headers.get("Referer", ""))


def _is_trusted(origin: str, request: Request) -> bool:
    trusted = (*settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS)
    return origin in _own_origins(request) or any(fnmatchcase(origin, each) for each in trusted)


def _own_origins(request: Request) -> set[str]:
    site = urlsplit(site_url(request))
    hosts = {request.get_host(), site.netloc}
    # Behind a proxy that doesn't say so, a request that came over TLS looks as if it hadn't.
    return {f"{scheme}://{host}" for scheme in ("https", request.scheme) for host in hosts}


def _origin_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


class CookieAuthenticationScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names it."""

    target_class = CookieAuthentication
    name = "cookieAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": NAME}

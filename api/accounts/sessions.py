"""What signing in answers, and how everything that it gave ends at once."""

from typing import cast

from django.conf import settings
from django.contrib.auth import user_logged_in, user_logged_out
from django.db import transaction
from django.http import HttpRequest
from rest_framework import status
from rest_framework.authtoken.models import Token
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import cookies
from core.errors import InvalidInput
from users.models import User

REFUSAL = "Unable to log in with provided credentials."


def sign_in(request: Request, user: User) -> Response:
    """Answer a successful sign-in: `{"key"}`, the token of all their clients, or in cookie mode a cookie.

    Args:
        user: as read when they proved who they are.

    Raises:
        InvalidInput: their sessions were ended since then, by a new password for example.
        PermissionDenied: another site's page makes the browser ask for a cookie.
    """
    cookies.check_page(request)
    key = token_of(request, user).key
    if not settings.COOKIE_AUTH_ENABLED:
        return Response({"key": key})
    response = Response(status=status.HTTP_204_NO_CONTENT)
    cookies.set_on(response, user)
    return response


@transaction.atomic
def token_of(request: Request | HttpRequest, user: User) -> Token:
    """Return the user's token, made where they have none, and note that they have signed in.

    Raises:
        InvalidInput: as from `sign_in`.
    """
    # Whoever ends the sessions waits for this lock, and then deletes the token with them.
    locked = User.objects.select_for_update(no_key=True)
    if not locked.filter(pk=user.pk, is_active=True, session_generation=user.session_generation):
        raise InvalidInput({"non_field_errors": [REFUSAL]})
    token, _ = Token.objects.get_or_create(user=user)
    user_logged_in.send(sender=User, request=request, user=user)
    return token


def end_all_sessions(user: User) -> None:
    """Sign out everywhere: tokens, cookies and /admin/ are refused from the next request on."""
    user.end_sessions()


def sign_out(request: Request) -> Response:
    """End all sessions of whoever asks, and let the browser forget its cookie."""
    user = cast(User, request.user)
    end_all_sessions(user)
    user_logged_out.send(sender=User, request=request, user=user)
    response = Response(status=status.HTTP_204_NO_CONTENT)
    cookies.clear(response)
    return response

"""Where browsers leave for a provider, and come back from it. Pages, and no part of the API.

Whoever wants to go on in /admin/ ends with a session. A dashboard (`redirect`, of an origin that the settings
name) ends with a code in its address, which it exchanges for a token with the verifier of its
`code_challenge`: so a code that somebody else sees, or puts into somebody's browser, is worth nothing.
Everyone else ends with the token itself, as JSON.
"""

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import APIException

from accounts import cookies
from accounts.external import NotVouchedFor
from accounts.oidc.providers import Provider, provider_called
from accounts.oidc.services import account_of_identity, make_code
from accounts.sessions import token_of
from core.errors import DomainError
from core.site import is_ours, site_url
from users.models import User

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
# Long enough to type a password at the provider.
_SESSION_SECONDS = 15 * 60
_BACKEND = "django.contrib.auth.backends.ModelBackend"


@method_decorator(never_cache, name="dispatch")
class OidcPage(View):
    """Shows people what is refused, in a page."""

    http_method_names = ["get"]
    provider: Provider

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        provider = provider_called(kwargs["provider"])
        if provider is None:
            raise Http404
        self.provider = provider
        try:
            return super().dispatch(request, *args, **kwargs)
        except DomainError as refusal:
            return self._refused(refusal, refusal.status_code)
        except APIException as refusal:
            return self._refused(refusal, refusal.status_code)

    def _refused(self, refusal: Exception, status: int) -> HttpResponse:
        context = {"provider": self.provider, "reason": str(refusal)}
        return render(self.request, "accounts/oidc_refused.html", context, status=status)


class LeaveView(OidcPage):
    def get(self, request: HttpRequest, provider: str) -> HttpResponseBase:
        """Send the browser to the provider."""
        if not request.user.is_authenticated:
            request.session.set_expiry(_SESSION_SECONDS)
        callback = request.build_absolute_uri(self.provider.callback)
        goal = _goal(request)
        if self.provider.is_for_admin:
            goal |= {"admin": goal["admin"] or reverse("admin:index")}
        return HttpResponseRedirect(self.provider.leave_for(request, callback, goal))


class CallbackView(OidcPage):
    def get(self, request: HttpRequest, provider: str) -> HttpResponseBase:
        """Sign in who has come back, and go where they wanted to go."""
        person, goal = self.provider.returned(request)
        user, is_new = account_of_identity(
            person,
            sign_up_type=goal["sign_up_type"],
            invite_hash=goal["invite_hash"],
            may_be_new=not self.provider.is_for_admin,
        )
        if goal["admin"]:
            request.session.set_expiry(None)
            login(request, user, backend=_BACKEND)
            return HttpResponseRedirect(goal["admin"])
        if settings.COOKIE_AUTH_ENABLED:
            return _with_cookie(request, user, goal["redirect"] or site_url(request))
        if goal["redirect"]:
            code = make_code(user, challenge=goal["challenge"], is_new=is_new)
            separator = "&" if urlsplit(goal["redirect"]).query else "?"
            return HttpResponseRedirect(f"{goal['redirect']}{separator}{urlencode({'code': code})}")
        return JsonResponse({"key": token_of(request, user).key, "is_new_user": is_new})


def _with_cookie(request: HttpRequest, user: User, target: str) -> HttpResponse:
    token_of(request, user)
    response = HttpResponseRedirect(target)
    cookies.set_on(response, user)
    return response


def _goal(request: HttpRequest) -> dict[str, Any]:
    """Return where the sign-in is to end.

    Raises:
        NotVouchedFor: at a place that isn't ours, or that couldn't exchange its code.
    """
    given = request.GET
    redirect, challenge = given.get("redirect", ""), given.get("code_challenge", "")
    if redirect and not is_ours(request, redirect):
        raise NotVouchedFor("The address to go back to isn't one of this installation.")
    if redirect and not settings.COOKIE_AUTH_ENABLED and not _CHALLENGE.fullmatch(challenge):
        raise NotVouchedFor("A redirect needs a code_challenge: 43 characters, S256 of a verifier.")
    return {
        "admin": _path_in_admin(given.get("next", "")),
        "redirect": redirect,
        "challenge": challenge,
        "sign_up_type": _known_type(given.get("sign_up_type")),
        "invite_hash": given.get("invite_hash", "")[:100],
    }


def _path_in_admin(path: str) -> str:
    """Return a path of the admin; empty for anything else, such as another site's address."""
    return path if path.startswith(reverse("admin:index")) and "\\" not in path else ""


def _known_type(name: str | None) -> str | None:
    field = User._meta.get_field("sign_up_type")
    return name if name in dict(field.flatchoices) else None

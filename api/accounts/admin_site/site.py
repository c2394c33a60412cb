"""The site itself. Django imports it before any model, so the views are imported when they are asked for."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

# The site's own pages that show nothing of anybody else.
_FOR_ALL = {
    "catch_all_view",
    "i18n_javascript",
    "index",
    "logout",
    "password_change",
    "password_change_done",
}


def _for_superusers(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_superuser:
            raise PermissionDenied("This page is for superusers.")
        return view(request, *args, **kwargs)

    return page


class AdminSite(admin.AdminSite):
    """Lets everyone in who has an account. The pages of tables cross all tenants: they are for superusers."""

    index_template = "accounts/admin_index.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        is_for_all = getattr(view, "__self__", None) is self and view.__name__ in _FOR_ALL
        return super().admin_view(view if is_for_all else _for_superusers(view), cacheable)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return super().get_app_list(request, app_label) if request.user.is_superuser else []

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("login/code/", self.second_factor, name="login-code"), *super().get_urls()]

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Ask for e-mail address and password."""
        from accounts.admin_site.views import SignInView

        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        context = self._context(request, "Log in") | (extra_context or {})
        return cast(HttpResponse, SignInView.as_view(extra_context=context)(request))

    @method_decorator(never_cache)
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Ask who has shown a right password for a code."""
        from accounts.admin_site.views import SecondFactorView

        context = self._context(request, "Second factor")
        return cast(HttpResponse, SecondFactorView.as_view(extra_context=context)(request))

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        from accounts.oidc.providers import all_providers

        given = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME)
        return {
            **self.each_context(request),
            "title": title,
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            "oidc_providers": all_providers(),
            REDIRECT_FIELD_NAME: given or reverse("admin:index"),
        }

"""The site itself. Django imports it before any model, so the views are imported when they are asked for."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache


class AdminSite(admin.AdminSite):
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
        given = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME)
        return {
            **self.each_context(request),
            "title": title,
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            REDIRECT_FIELD_NAME: given or reverse("admin:index"),
        }

"""The pages of signing in to /admin/."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.generic import FormView

from accounts import lockout
from accounts.mfa import services, tokens
from users.models import User

# What the session keeps between the two pages: no more than the API gives its clients.
_PENDING = "second_factor"


class SignInForm(AuthenticationForm):
    """An e-mail address and a password, of whoever has an account."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Please enter the right e-mail address and password.",
    }


class SignInView(LoginView):
    """The first page."""

    authentication_form = SignInForm
    template_name = "accounts/admin_login.html"
    next_page = "admin:index"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.ENABLE_ADMIN_ACCESS_USER_PASS:
            return super().dispatch(request, *args, **kwargs)
        refused = 200 if request.method in {"GET", "HEAD"} else 403
        return TemplateResponse(
            request, "accounts/admin_login_closed.html", {**(self.extra_context or {})}, status=refused
        )

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user: Any = form.get_user()
        if services.active_method(user) is None:
            return super().form_valid(form)
        self.request.session[_PENDING] = {"token": tokens.make_token(user), "backend": user.backend}
        target = urlencode({REDIRECT_FIELD_NAME: self.get_success_url()})
        return HttpResponseRedirect(f"{reverse('admin:login-code')}?{target}")


class CodeForm(forms.Form):
    """A code of the app, or a backup code."""

    code = forms.CharField(
        label="Code",
        max_length=64,
        widget=forms.TextInput({"autocomplete": "one-time-code", "autofocus": True}),
        help_text="Six digits from your app, or one of your backup codes.",
    )


class SecondFactorView(RedirectURLMixin, FormView):
    """The second page."""

    form_class = CodeForm
    template_name = "accounts/admin_second_factor.html"
    next_page = "admin:index"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.pending = request.session.get(_PENDING, {})
        user = tokens.user_of(self.pending.get("token", ""))
        if user is None or not settings.ENABLE_ADMIN_ACCESS_USER_PASS:
            return HttpResponseRedirect(reverse("admin:login"))
        self.user: User = user
        if lockout.is_locked(request, user.email):
            return lockout.locked_out(request, None, None)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: CodeForm) -> HttpResponse:
        if not services.is_right(self.request, self.user, form.cleaned_data["code"]):
            form.add_error("code", "This code isn't valid.")
            return self.form_invalid(form)
        del self.request.session[_PENDING]
        login(self.request, self.user, backend=self.pending["backend"])
        return HttpResponseRedirect(self.get_success_url())

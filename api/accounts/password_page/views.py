"""Choosing a password by a link, without JavaScript."""

from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse_lazy


class PasswordPage(PasswordResetConfirmView):
    """A dashboard at the same address has a page of its own in its place.

    Django's view keeps the link's secret in the session and out of the address bar. Saving a user with a new
    password ends their sessions.
    """

    template_name = "accounts/password.html"
    success_url = reverse_lazy("admin:login")
    http_method_names = ["get", "head", "post"]

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        super().form_valid(form)
        # Said before anybody is led away: they may sign in elsewhere than there.
        return TemplateResponse(self.request, "accounts/password_chosen.html", {"user": form.user})

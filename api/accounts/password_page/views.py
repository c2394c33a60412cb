"""Choosing a password by a link, without JavaScript."""

from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.http import HttpResponse
from django.template.response import TemplateResponse

from accounts.links import password_reset_tokens
from accounts.services.passwords import reset_password
from core.errors import InvalidInput


class PasswordPage(PasswordResetConfirmView):
    """A dashboard at the same address has a page of its own in its place.

    Django's view keeps the link's secret in the session and out of the address bar.
    """

    template_name = "accounts/password.html"
    token_generator = password_reset_tokens
    http_method_names = ["get", "head", "post"]

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        token = self.request.session.pop(INTERNAL_RESET_SESSION_TOKEN)
        try:
            reset_password(form.user, token, form.cleaned_data["new_password1"])
        except InvalidInput:  # used by somebody else a moment ago
            self.validlink = False
            return self.render_to_response(self.get_context_data(form=None))
        return TemplateResponse(self.request, "accounts/password_chosen.html", {"user": form.user})

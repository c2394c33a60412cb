"""The form that a new installation begins with."""

from urllib.parse import urlsplit

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.validators import RegexValidator

from users.models import User

_is_host = RegexValidator(
    r"\A(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\Z",
    "Enter a host name, with a port where it needs one: flags.example.org or localhost:8000.",
)


class InitialisationForm(forms.Form):
    """Who runs this installation, and where it is found."""

    email = forms.EmailField(
        label="E-mail address", max_length=254, help_text="You sign in with it, as the superuser."
    )
    username = forms.CharField(label="User name", max_length=150, required=False, help_text="Optional.")
    password = forms.CharField(
        max_length=128,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Left empty, the answer has a link with which you choose one.",
    )
    site_name = forms.CharField(label="Name of this installation", max_length=50)
    site_domain = forms.CharField(
        label="Its address",
        max_length=100,
        help_text="Host, and port where it needs one. Links in mails begin with it.",
    )

    def clean_site_domain(self) -> str:
        """Take what stands in a browser's address bar as well."""
        given: str = self.cleaned_data["site_domain"]
        domain = urlsplit(given).netloc if "://" in given else given.rstrip("/")
        _is_host(domain)
        return domain

    def clean(self) -> None:
        """Hold the password to the configured rules, one of which compares it with the other fields."""
        given = self.cleaned_data
        if password := given.get("password"):
            person = User(email=given.get("email", ""), username=given.get("username"))
            try:
                validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)

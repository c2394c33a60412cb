"""How mail leaves, by the variables that are set."""

import pytest

from app.settings.mail import SesAccess, mail_settings

SMTP = "django.core.mail.backends.smtp.EmailBackend"
OWN = {
    "EMAIL_HOST": "mail.example.org",
    "EMAIL_PORT": 25,
    "EMAIL_HOST_USER": "",
    "EMAIL_HOST_PASSWORD": "",
    "EMAIL_USE_TLS": False,
}


def made(back_end: str = "", sendgrid_key: str = "", **ses: str) -> dict:
    access = SesAccess(**{"region": "eu-west-1", "endpoint": "", "key_id": "AKIA", "secret": "s", **ses})
    return mail_settings(back_end=back_end, smtp=OWN, sendgrid_key=sendgrid_key, ses=access)


@pytest.mark.parametrize("back_end", ["", SMTP])
def test_mail_goes_to_the_smtp_server_that_is_named(back_end):
    assert made(back_end) == {"EMAIL_BACKEND": SMTP, **OWN}


def test_a_back_end_that_is_named_wins_over_the_key_of_another():
    assert made(SMTP, sendgrid_key="SG.1")["EMAIL_HOST"] == "mail.example.org"


@pytest.mark.parametrize("back_end", ["", "sgbackend.SendGridBackend"])
def test_sendgrid_is_reached_by_smtp(back_end):
    loaded = made(back_end, sendgrid_key="SG.1")

    assert loaded == {
        "EMAIL_BACKEND": SMTP,
        "EMAIL_HOST": "smtp.sendgrid.net",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "apikey",
        "EMAIL_HOST_PASSWORD": "SG.1",
        "EMAIL_USE_TLS": True,
    }


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("", "email-smtp.eu-west-1.amazonaws.com"),
        ("email.eu-central-1.amazonaws.com", "email-smtp.eu-central-1.amazonaws.com"),
        ("smtp.example.org", "smtp.example.org"),
    ],
)
def test_amazon_ses_is_reached_by_smtp(endpoint, host):
    loaded = made("django_ses.SESBackend", endpoint=endpoint)

    assert (loaded["EMAIL_BACKEND"], loaded["EMAIL_HOST"]) == (SMTP, host)
    assert (loaded["EMAIL_HOST_USER"], len(loaded["EMAIL_HOST_PASSWORD"])) == ("AKIA", 44)


def test_other_back_ends_are_used_as_they_are():
    assert made("django.core.mail.backends.filebased.EmailBackend")["EMAIL_BACKEND"].endswith(
        "filebased.EmailBackend"
    )

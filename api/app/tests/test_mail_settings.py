"""How mail leaves, by the variables that are set."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.core.mail import send_mail

from app.settings.mail import SesAccess, mail_settings
from core.tests.certificates import self_signed
from mails.tests.smtp import Mailbox, mail_server
from operations.version import can_send_mail

SMTP = "django.core.mail.backends.smtp.EmailBackend"
OWN = {
    "EMAIL_HOST": "mail.example.org",
    "EMAIL_PORT": 25,
    "EMAIL_HOST_USER": "",
    "EMAIL_HOST_PASSWORD": "",
    "EMAIL_USE_TLS": False,
}


SENDGRID = "sgbackend.SendGridBackend"
SES = "django_ses.SESBackend"


def made(back_end: str = "", sendgrid_key: str = "", **ses: str) -> dict:
    access = SesAccess(**{"region": "eu-west-1", "endpoint": "", "key_id": "AKIA", "secret": "s", **ses})
    return mail_settings(back_end=back_end, smtp=OWN, sendgrid_key=sendgrid_key, ses=access)


@pytest.mark.parametrize("back_end", ["", SMTP])
def test_mail_goes_to_the_smtp_server_that_is_named(back_end):
    assert made(back_end) == {"EMAIL_BACKEND": SMTP, **OWN}


def test_on_a_developers_machine_mail_goes_to_the_console_unless_a_server_is_named(load):
    database = {"DATABASE_URL": "postgres://kim@localhost:1/flags", "DJANGO_SECRET_KEY": "k" * 50}

    assert load("local", **database)["EMAIL_BACKEND"] == "django.core.mail.backends.console.EmailBackend"
    assert load("local", **database, EMAIL_HOST="mail.example.org")["EMAIL_BACKEND"] == SMTP


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


@pytest.fixture
def led_here(monkeypatch, tmp_path) -> Iterator[Callable[..., Mailbox]]:
    """Return a function that runs a mail server, leads a host's name to it, and has it prove that name."""
    with ExitStack() as running:

        def lead(host: str, *, is_trusted: bool = True) -> Mailbox:
            certificate = self_signed(host, tmp_path)
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            if is_trusted:
                monkeypatch.setenv("SSL_CERT_FILE", certificate)
            mailbox = running.enter_context(mail_server(tls))
            connect = socket.create_connection

            def connect_here(address: tuple[str, int], timeout: float, source: Any) -> socket.socket:
                assert address == (host, 587)
                return connect(("127.0.0.1", mailbox.port), timeout, source)

            monkeypatch.setattr("socket.create_connection", connect_here)
            return mailbox

        yield lead


@pytest.mark.parametrize(
    ("chosen", "host", "login"),
    [
        (
            mail_settings(
                back_end=SMTP,
                smtp={
                    **OWN,
                    "EMAIL_PORT": 587,
                    "EMAIL_HOST_USER": "kim",
                    "EMAIL_HOST_PASSWORD": "s3cret",
                    "EMAIL_USE_TLS": True,
                },
                sendgrid_key="",
                ses=SesAccess("", "", "", ""),
            ),
            "mail.example.org",
            ("kim", "s3cret"),
        ),
        (made(SENDGRID, sendgrid_key="SG.1"), "smtp.sendgrid.net", ("apikey", "SG.1")),
        (
            made(SES, region="eu-central-1", secret="wJalrXUtnFEMI/K7MDENG"),
            "email-smtp.eu-central-1.amazonaws.com",
            ("AKIA", SesAccess("eu-central-1", "", "AKIA", "wJalrXUtnFEMI/K7MDENG").password),
        ),
    ],
    ids=["smtp", "sendgrid", "ses"],
)
def test_each_back_end_encrypts_signs_in_and_delivers(settings, led_here, chosen, host, login):
    for name, value in chosen.items():
        setattr(settings, name, value)
    mailbox = led_here(host)

    send_mail("Hello", "World", "flags@example.org", ["ada@example.org"])

    assert mailbox.logins == [login]
    assert mailbox.arrived[0]["Subject"] == "Hello"
    assert can_send_mail()


def test_a_server_that_cannot_prove_its_name_is_told_no_password(settings, led_here):
    for name, value in made(SENDGRID, sendgrid_key="SG.1").items():
        setattr(settings, name, value)
    mailbox = led_here("smtp.sendgrid.net", is_trusted=False)

    with pytest.raises(ssl.SSLCertVerificationError):
        send_mail("Hello", "World", "flags@example.org", ["ada@example.org"])

    assert (mailbox.logins, mailbox.arrived) == ([], [])


@pytest.mark.parametrize(
    "chosen", [made(SENDGRID), made(SES, key_id=""), made()], ids=["sendgrid", "ses", "smtp"]
)
def test_without_credentials_no_mail_provider_is_configured(settings, chosen):
    for name, value in chosen.items():
        setattr(settings, name, value)

    assert not can_send_mail()

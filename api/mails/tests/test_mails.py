"""Mail, read from the server that it was sent to."""

import logging
import smtplib
import socket
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from django.db import transaction
from django.template import engines
from django.utils import timezone

from mails import services as mail
from mails.tests.smtp import html_of, text_of
from tasks.models import Job, State
from tasks.services import retry

TEMPLATES = {
    "mails/greeting.subject.txt": "{{ name }} says hello",
    "mails/greeting.txt": "Hello from {{ name }}: {{ site_url }}/hello",
    "mails/greeting.html": "<p>Hello from {{ name }}</p>",
}


@pytest.fixture(autouse=True)
def greeting(settings):
    settings.FLAGSMITH_DOMAIN = "flags.example.org"
    loaders = [("django.template.loaders.locmem.Loader", TEMPLATES)]
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
    ]
    assert engines.all()


def test_a_mail_is_text_and_html(mailbox):
    mail.send("greeting", to="ada@example.org", context={"name": "R&D"})

    sent = mailbox.only()
    assert (sent["To"], sent["Subject"]) == ("ada@example.org", "R&D says hello")
    assert text_of(sent).strip() == "Hello from R&D: https://flags.example.org/hello"
    assert html_of(sent).strip() == "<p>Hello from R&amp;D</p>"


def test_a_mail_comes_from_the_configured_address(mailbox, settings):
    settings.DEFAULT_FROM_EMAIL = "flags@example.org"

    mail.send("greeting", to=["ada@example.org", "kim@example.org"], context={"name": "Kim"})

    assert mailbox.only()["From"] == "flags@example.org"
    assert mailbox.only()["To"] == "ada@example.org, kim@example.org"


def test_a_name_with_a_line_break_begins_no_other_header(mailbox):
    mail.send("greeting", to="ada@example.org", context={"name": "Kim\r\nBcc: eve@example.org"})

    sent: EmailMessage = mailbox.only()
    assert sent["Subject"] == "Kim Bcc: eve@example.org says hello"
    assert sent["Bcc"] is None


def test_what_is_rolled_back_sends_nothing(mailbox):
    with transaction.atomic():
        mail.send("greeting", to="ada@example.org", context={"name": "Kim"})
        transaction.set_rollback(True)

    assert mailbox.mails == []


def test_a_mail_server_that_is_down_is_logged_disturbs_nobody_and_is_tried_again(mailbox, settings, caplog):
    port = settings.EMAIL_PORT
    with socket.create_server(("127.0.0.1", 0)) as unused:
        settings.EMAIL_PORT = unused.getsockname()[1]
    mail.send("greeting", to="ada@example.org", context={"name": "Kim"})

    assert mailbox.mails == []

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "ConnectionRefusedError" in caplog.text
    settings.EMAIL_PORT = port
    Job.objects.update(run_at=timezone.now())
    first = mailbox.only()
    retry(Job.objects.filter(pk=Job.objects.update(state=State.DEAD) and Job.objects.get().pk))
    assert {each["Message-ID"] for each in mailbox.mails} == {first["Message-ID"]}
    assert len(mailbox.mails) == 2


def test_a_link_in_a_mail_is_not_to_be_read_in_the_database(mailbox):
    mail.send("greeting", to="ada@example.org", context={"name": "s3cret", "site_url": "https://s3cret.org"})

    mailbox.only()

    row = str(Job.objects.values().get())
    assert "s3cret" not in row
    assert "ada@" not in row


def test_an_address_that_the_mail_server_refuses_for_good_is_not_tried_again(mailbox, monkeypatch):
    refusal = {"ada@example.org": (550, b"no such user")}
    monkeypatch.setattr("smtplib.SMTP.sendmail", _raiser(smtplib.SMTPRecipientsRefused(refusal)))
    mail.send("greeting", to="ada@example.org", context={"name": "Kim"})

    assert mailbox.mails == []

    assert Job.objects.get().state == State.DEAD


def _raiser(error: Exception) -> Callable[..., None]:
    def fail(*args: object, **options: object) -> None:
        raise error

    return fail

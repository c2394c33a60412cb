"""Sending mails. They were written when they were caused, and say what was true then."""

import smtplib
from datetime import timedelta

from django.core.mail import EmailMultiAlternatives

from tasks.registry import GiveUp, task

# For four hours: 30 seconds, a minute, two, …
_ATTEMPTS = 10


# Sealed: links for choosing a password stand in it.
@task(priority=20, attempts=_ATTEMPTS, backoff=timedelta(seconds=30), is_sealed=True)
def deliver(*, subject: str, text: str, html: str, to: list[str], message_id: str) -> None:
    """Hand a mail to the mail server.

    Raises:
        GiveUp: the server takes no mail for these addresses.
    """
    message = EmailMultiAlternatives(subject=subject, body=text, to=to, headers={"Message-ID": message_id})
    message.attach_alternative(html, "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refusal:
        if all(code >= 500 for code, _ in refusal.recipients.values()):
            codes = sorted({code for code, _ in refusal.recipients.values()})
            raise GiveUp(f"The mail server takes no mail for this address: {codes}") from None
        raise

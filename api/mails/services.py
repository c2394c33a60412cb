"""Mails to people: text and HTML, through the configured back end."""

from collections.abc import Mapping, Sequence
from email.utils import make_msgid
from typing import Any

from django.core.mail.utils import DNS_NAME
from django.http import HttpRequest
from django.template import Context, Engine
from django.template.loader import render_to_string
from rest_framework.request import Request

from core.site import site_url
from mails.tasks import deliver
from tasks.services import enqueue


def send(
    template: str,
    *,
    to: str | Sequence[str],
    context: Mapping[str, Any],
    request: HttpRequest | Request | None = None,
) -> None:
    """Have a mail sent once the transaction at hand is committed, by a job that goes on trying for hours.

    A mail that can't be sent is logged. The request that caused it succeeds all the same.

    Args:
        template: `password_reset` stands for the templates `mails/password_reset.subject.txt`, `.txt` and
            `.html`. What is put into the first two is not escaped, what is put into HTML is.
        context: what the templates name. `site_url` is there without being given.
        request: whose scheme and host the links begin with, see `core.site`.
    """
    words = context if "site_url" in context else {**context, "site_url": site_url(request)}
    mail = {
        # A name with a line break in it must not begin another header.
        "subject": " ".join(_text(f"mails/{template}.subject.txt", words).split()),
        "text": _text(f"mails/{template}.txt", words),
        "html": render_to_string(f"mails/{template}.html", dict(words)),
        "to": [to] if isinstance(to, str) else list(to),
        # One that is sent twice, because a worker ended in between, is the same mail to its reader.
        "message_id": make_msgid(domain=str(DNS_NAME)),
    }
    enqueue(deliver, arguments=mail)


def _text(template: str, words: Mapping[str, Any]) -> str:
    rendered: str = Engine.get_default().get_template(template).render(Context(words, autoescape=False))
    return rendered.strip() + "\n"

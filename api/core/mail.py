"""Mails to people: text and HTML, through the configured back end."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.http import HttpRequest
from django.template import Context, Engine
from django.template.loader import render_to_string
from rest_framework.request import Request

from core import background
from core.site import site_url

logger = logging.getLogger(__name__)


def send(
    template: str,
    *,
    to: str | Sequence[str],
    context: Mapping[str, Any],
    request: HttpRequest | Request | None = None,
) -> None:
    """Send a mail once the transaction at hand is committed, without waiting for the mail server.

    A mail that can't be sent is logged. The request that caused it succeeds all the same.

    Args:
        template: `password_reset` stands for the templates `mails/password_reset.subject.txt`, `.txt` and
            `.html`. What is put into the first two is not escaped, what is put into HTML is.
        context: what the templates name. `site_url` is there without being given.
        request: whose scheme and host the links begin with, see `core.site`.
    """
    words = context if "site_url" in context else {**context, "site_url": site_url(request)}
    message = EmailMultiAlternatives(
        # A name with a line break in it must not begin another header.
        subject=" ".join(_text(f"mails/{template}.subject.txt", words).split()),
        body=_text(f"mails/{template}.txt", words),
        to=[to] if isinstance(to, str) else list(to),
    )
    message.attach_alternative(render_to_string(f"mails/{template}.html", dict(words)), "text/html")
    transaction.on_commit(partial(background.soon, partial(_deliver, template, message)))


def _text(template: str, words: Mapping[str, Any]) -> str:
    rendered: str = Engine.get_default().get_template(template).render(Context(words, autoescape=False))
    return rendered.strip() + "\n"


def _deliver(template: str, message: EmailMultiAlternatives) -> None:
    try:
        message.send()
    except OSError as error:  # smtplib's errors are among them
        logger.error("The mail '%s' couldn't be sent. %s: %s", template, type(error).__name__, error)

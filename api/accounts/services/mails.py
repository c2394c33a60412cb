"""Mails about accounts. What anybody may ask for is sent a number of times only."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.links import activation_link, password_reset_link
from accounts.models import MailKind, SentMail
from mails import services as mail
from users.models import User


@transaction.atomic
def request_password_reset(email: str, *, site_url: str) -> None:
    """Send the link on which a new password is chosen, if this is the address of somebody who has one.

    Args:
        email: in any letter case. Nothing happens where nobody active has it.
        site_url: what the link begins with.
    """
    user = _locked(email)
    if user is None or not user.is_active or not user.has_usable_password():
        return
    if _is_counted(user, MailKind.PASSWORD_RESET):
        link = password_reset_link(user, site_url=site_url)
        _send("password_reset", user, link=link, site_url=site_url)


@transaction.atomic
def request_activation(email: str, *, site_url: str) -> None:
    """Send the activation link again, if an account with this address waits for it."""
    user = _locked(email)
    if user is not None and user.awaits_activation:
        send_activation(user, site_url=site_url)


def send_activation(user: User, *, site_url: str) -> None:
    """Send the activation link, unless that has been done too often."""
    if _is_counted(user, MailKind.ACTIVATION):
        link = activation_link(user, site_url=site_url)
        _send("activation", user, link=link, site_url=site_url)


def tell_of_new_address(user: User, *, old_email: str, site_url: str) -> None:
    """Tell the owner of the old address: if it was someone else who changed it, they should know."""
    words = {"user": user, "site_url": site_url}
    mail.send("email_changed", to=old_email, context=words)


def _locked(email: str) -> User | None:
    """Return whose address this is, locked, so that mails are counted one after the other."""
    users = User.objects.select_for_update(no_key=True)
    try:
        return users.get(pk=User.objects.get_by_natural_key(email).pk)
    except User.DoesNotExist:
        return None


def _is_counted(user: User, kind: MailKind) -> bool:
    """Note that a mail is sent. False: there have been enough of them."""
    cooldown = timedelta(seconds=settings.PASSWORD_RESET_EMAIL_COOLDOWN)
    sent = SentMail.objects.filter(user=user, kind=kind)
    sent.filter(sent_at__lte=timezone.now() - cooldown).delete()
    if sent.count() >= settings.MAX_PASSWORD_RESET_EMAILS:
        return False
    SentMail.objects.create(user=user, kind=kind)
    return True


def _send(template: str, user: User, *, link: str, site_url: str) -> None:
    mail.send(template, to=user.email, context={"user": user, "link": link, "site_url": site_url})

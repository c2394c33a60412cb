"""Mails that anybody may ask for. Whether there is an account is looked up when the answer is on its way."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import SentMail
from accounts.services.mails import request_activation, request_password_reset
from tasks.registry import recurring, task


@task(priority=20, in_transaction=True, is_sealed=True, is_kept=False)
def send_password_reset(*, email: str, site_url: str) -> None:
    request_password_reset(email, site_url=site_url)


@task(priority=20, in_transaction=True, is_sealed=True, is_kept=False)
def send_activation_again(*, email: str, site_url: str) -> None:
    request_activation(email, site_url=site_url)


@recurring(every=timedelta(days=1))
def forget_sent_mails() -> None:
    """Delete the notes of mails that no longer count."""
    cooldown = timedelta(seconds=settings.PASSWORD_RESET_EMAIL_COOLDOWN)
    SentMail.objects.filter(sent_at__lte=timezone.now() - cooldown).delete()

"""Which mails anybody could ask for have been sent, so that nobody's mailbox is filled with them."""

from django.conf import settings
from django.db import models


class MailKind(models.TextChoices):
    PASSWORD_RESET = "PASSWORD_RESET", "Password reset"  # no password
    ACTIVATION = "ACTIVATION", "Activation"


class SentMail(models.Model):
    """A mail to a user that was asked for without signing in."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sent_mails")
    kind = models.CharField(max_length=20, choices=MailKind)
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["user", "kind", "sent_at"], name="sent_mail_by_user")]

    def __str__(self) -> str:
        return f"{self.kind} to {self.user}"

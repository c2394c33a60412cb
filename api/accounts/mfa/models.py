"""The second factor of a user: an app that shows codes, and codes on paper for when it is lost."""

from django.conf import settings
from django.db import models

from core.encryption import EncryptedTextField
from core.history import remembers

APP = "app"


class MfaMethod(models.Model):
    """A second factor. Until the first code has confirmed it, signing in doesn't ask for it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mfa_methods")
    name = models.CharField(max_length=16, choices=[(APP, "App with codes")], default=APP)
    secret = EncryptedTextField()
    is_active = models.BooleanField(default=False)
    is_primary = models.BooleanField(default=False)
    # The number of the last time step whose code was used: that and earlier ones don't count again.
    last_step = models.BigIntegerField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = "second factor"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                name="one_method_per_user_and_name",
                violation_error_message="The user has this second factor already.",
            )
        ]
        triggers = remembers(
            name="(SELECT email FROM users_user WHERE id = changed.user_id)",
            secrets=["secret"],
            ignored=["last_step"],
        )

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"


class BackupCode(models.Model):
    """One of the codes on paper: good for one sign-in, and deleted with it."""

    method = models.ForeignKey(MfaMethod, on_delete=models.CASCADE, related_name="backup_codes")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["method", "digest"],
                name="one_backup_code_per_digest",
                violation_error_message="That backup code exists already.",
            )
        ]

    def __str__(self) -> str:
        return f"a backup code of {self.method}"

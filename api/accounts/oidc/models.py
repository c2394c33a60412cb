"""At which OpenID Connect provider somebody is known, and as whom."""

from django.conf import settings
from django.db import models

from core.history import remembers


class OidcIdentity(models.Model):
    """A person at a provider. Their subject never changes there, whatever becomes of their address."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="oidc_identities"
    )
    method = models.CharField("provider", max_length=64, help_text="`oidc:` and the provider's name.")
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = "OpenID Connect identity"
        verbose_name_plural = "OpenID Connect identities"
        constraints = [
            models.UniqueConstraint(
                fields=["method", "subject"],
                name="one_user_per_oidc_identity",
                violation_error_message="Somebody else signs in with this identity.",
            ),
            models.UniqueConstraint(
                fields=["method", "user"],
                name="one_oidc_identity_per_user",
                violation_error_message="The user has another identity at this provider.",
            ),
        ]
        triggers = remembers(name="(SELECT email FROM users_user WHERE id = changed.user_id)")

    def __str__(self) -> str:
        return f"{self.user} at {self.method}"

"""Where an environment's changes are sent."""

from django.db import models

from core.history import remembers
from core.public_urls import PublicUrlValidator
from environments.models.environment import Environment


class EnvironmentWebhook(models.Model):
    """An address that changes of one environment's flags are sent to. `secret` signs what is sent."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField("URL", max_length=200, validators=[PublicUrlValidator()])
    enabled = models.BooleanField(default=True)
    secret = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        triggers = remembers(
            # The host alone: paths and queries of such addresses often are what lets somebody in.
            name="substring(changed.url FROM '^[^:]+://(?:[^/@]*@)?([^/?#]+)')",
            environment="changed.environment_id",
            secrets=["url", "secret"],
            ignored=["updated_at"],
        )

    def __str__(self) -> str:
        return self.url

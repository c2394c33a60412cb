"""Where an organisation is told of its changes."""

from django.db import models

from core.history import remembers
from core.public_urls import PublicUrlValidator
from organisations.models.organisation import Organisation


class OrganisationWebhook(models.Model):
    """An address that events of the whole organisation are sent to. `secret` signs what is sent."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="webhooks")
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
            organisation="changed.organisation_id",
            secrets=["url", "secret"],
            ignored=["updated_at"],
        )

    def __str__(self) -> str:
        return self.url

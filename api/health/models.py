"""How features are, as monitoring reports it."""

from django.conf import settings
from django.db import models

from core.history import remembers
from environments.models import Environment
from features.models import Feature
from projects.models import Project


class ProviderName(models.TextChoices):
    WEBHOOK = "Webhook"
    GRAFANA = "Grafana"


class HealthStatus(models.TextChoices):
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"


class HealthProvider(models.Model):
    """A monitoring that may report to a project. It sends its reports to an address of its own."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="health_providers")
    name = models.CharField(max_length=50, choices=ProviderName)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"],
                name="health_provider_once",
                violation_error_message="The project has this provider already.",
            )
        ]
        triggers = remembers(project="changed.project_id")

    def __str__(self) -> str:
        return self.name


class HealthEvent(models.Model):
    """A feature has become healthy or unhealthy, in one environment or, without one, in all.

    `reason` is `{"text_blocks": [{"text", "title"}], "url_blocks": [{"url", "title"}]}`. The last event of a
    feature, an environment and a provider says how it is.
    """

    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="health_events")
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, related_name="health_events"
    )
    provider_name = models.CharField(max_length=50, choices=ProviderName)
    type = models.CharField(max_length=50, choices=HealthStatus)
    reason = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["feature", "environment", "provider_name", "-id"], name="health_at_last")
        ]

    def __str__(self) -> str:
        return f"{self.feature}: {self.type}"

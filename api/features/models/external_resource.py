"""Issues, pull requests and merge requests that belong to a feature."""

from django.db import models

from core.digests import Digest
from core.history import remembers
from features.models.feature import Feature


class ResourceType(models.TextChoices):
    GITHUB_ISSUE = "GITHUB_ISSUE"
    GITHUB_PR = "GITHUB_PR"
    GITLAB_ISSUE = "GITLAB_ISSUE"
    GITLAB_MR = "GITLAB_MR"


class ExternalResource(models.Model):
    """Something elsewhere that a feature is linked to. `metadata` is what its site said of it."""

    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="external_resources")
    url = models.URLField("URL", max_length=2000)
    type = models.CharField(max_length=20, choices=ResourceType)
    metadata = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                "feature",
                Digest("url"),
                name="external_resource_once",
                violation_error_message="The feature is linked to this URL already.",
            )
        ]
        triggers = remembers(
            name="changed.url",
            project="(SELECT project_id FROM features_feature WHERE id = changed.feature_id)",
        )

    def __str__(self) -> str:
        return self.url

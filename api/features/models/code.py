"""Where features are named in code, as scans of repositories report it."""

from django.db import models

from core.digests import Digest
from features.models.feature import Feature
from projects.models import Project


class VcsProvider(models.TextChoices):
    GITHUB = "github"


class CodeRepository(models.Model):
    """A repository that is scanned for a project's features. Of its scans only the last one is kept."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="code_repositories")
    url = models.URLField("URL", max_length=2000)
    vcs_provider = models.CharField(max_length=50, choices=VcsProvider, default=VcsProvider.GITHUB)
    revision = models.CharField(max_length=100)
    scanned_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "code repositories"
        constraints = [
            models.UniqueConstraint("project", Digest("url"), name="code_repository_once"),
        ]

    def __str__(self) -> str:
        return self.url


class CodeSighting(models.Model):
    """A feature that was once found in a repository, and where the last scan found it.

    `places` is a list of `{"file_path": "shop/cart.py", "line_number": 12}`, empty once it is gone.
    """

    repository = models.ForeignKey(CodeRepository, on_delete=models.CASCADE, related_name="sightings")
    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="code_sightings")
    found_at = models.DateTimeField(help_text="When a scan last found it.")
    places = models.JSONField(default=list)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["feature", "repository"], name="code_sighting_once"),
        ]

    def __str__(self) -> str:
        return f"{self.feature} in {self.repository}"

"""Projects, and the tags that sort a project's features."""

import uuid

from django.core.validators import MinValueValidator
from django.db import models

from core.digests import Digest
from core.history import remembers
from core.models import LIVE, SoftDeletableModel
from core.publishing import publishes
from organisations.models import Organisation


class Project(SoftDeletableModel):
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(max_length=2000)
    created_date = models.DateTimeField(auto_now_add=True)
    hide_disabled_flags = models.BooleanField(
        default=False,
        help_text="SDK answers leave out disabled flags, unless the environment says otherwise.",
    )
    prevent_flag_defaults = models.BooleanField(
        default=False, help_text="New features start disabled and without a value in every environment."
    )
    enable_realtime_updates = models.BooleanField(default=True, help_text="SDKs may listen for changes.")
    only_allow_lower_case_feature_names = models.BooleanField(default=True)
    feature_name_regex = models.CharField(
        max_length=255, null=True, blank=True, help_text="Names of new features must match this in full."
    )
    show_edge_identity_overrides_for_feature = models.BooleanField(default=False)
    stale_flags_limit_days = models.IntegerField(
        default=30,
        validators=[MinValueValidator(0)],
        help_text="Days without a change after which a flag is stale.",
    )
    minimum_change_request_approvals = models.IntegerField(
        null=True, blank=True, validators=[MinValueValidator(0)]
    )
    enforce_feature_owners = models.BooleanField(default=False, help_text="A feature needs an owner.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                "organisation",
                Digest("name"),
                condition=LIVE,
                name="project_name_once",
                violation_error_message="A project with this name already exists.",
            )
        ]
        triggers = [
            *publishes(
                "SELECT changed.id AS project_id, 0 AS environment_id FROM {changed}",
                [
                    "id",
                    "name",
                    "organisation_id",
                    "hide_disabled_flags",
                    "enable_realtime_updates",
                    "deleted_at",
                ],
            ),
            *remembers(project="changed.id", organisation="changed.organisation_id"),
        ]

    def __str__(self) -> str:
        return self.name


class TagType(models.TextChoices):
    NONE = "NONE"
    STALE = "STALE"
    GITHUB = "GITHUB"
    UNHEALTHY = "UNHEALTHY"
    GITLAB = "GITLAB"


class Tag(models.Model):
    """A label for features. A permanent one protects them from being called stale."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tags")
    label = models.CharField(max_length=100)
    color = models.CharField(max_length=10, default="#6837FC")
    description = models.CharField(max_length=512, null=True, blank=True)
    is_permanent = models.BooleanField(default=False)
    is_system_tag = models.BooleanField(default=False, editable=False)
    type = models.CharField(max_length=20, choices=TagType, default=TagType.NONE, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "type", "label"],
                condition=models.Q(is_system_tag=True),
                name="system_tag_once",
            )
        ]
        triggers = remembers(name="changed.label", project="changed.project_id")

    def __str__(self) -> str:
        return self.label

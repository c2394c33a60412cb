"""Environments and the keys that SDKs read them with."""

import uuid
from typing import Self

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.digests import Digest
from core.history import remembers
from core.keys import server_side_key, short_key
from core.models import LIVE, SoftDeletableModel
from core.publishing import publishes
from projects.models import Project


class Environment(SoftDeletableModel):
    """A place where a project's features have states: "Production", "Staging".

    `api_key` is the client-side key: it identifies the environment in URLs and may be seen by anyone
    who uses an app that reads it.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="environments")
    name = models.CharField(max_length=2000)
    api_key = models.CharField(
        max_length=100,
        default=short_key,
        unique=True,
        # What begins with "ser." is looked for among the server-side keys. Keys stand in headers, which carry
        # ASCII, and in URLs, where these words and dots mean something else.
        validators=[
            RegexValidator(
                r"^(?!ser\.|\.\.?\Z|permissions\Z|get-by-uuid\Z)[!-.0-~]+\Z",
                "A client-side key has visible ASCII characters, no slash, and doesn't begin with 'ser.'.",
            )
        ],
    )
    description = models.TextField(max_length=20_000, null=True, blank=True)
    created_date = models.DateTimeField(auto_now_add=True)
    minimum_change_request_approvals = models.IntegerField(
        null=True, blank=True, validators=[MinValueValidator(0)], help_text="Empty: changes need no request."
    )
    allow_client_traits = models.BooleanField(
        default=True, help_text="Whether requests with the client-side key may set traits."
    )
    banner_text = models.CharField(max_length=255, null=True, blank=True)
    banner_colour = models.CharField(max_length=7, null=True, blank=True)
    hide_disabled_flags = models.BooleanField(
        null=True,
        blank=True,
        help_text="Whether SDK answers leave out disabled flags. Empty: as the project says.",
    )
    hide_sensitive_data = models.BooleanField(
        default=False, help_text="SDK answers leave out ids, descriptions, defaults and traits."
    )
    use_identity_composite_key_for_hashing = models.BooleanField(default=True)
    use_identity_overrides_in_local_eval = models.BooleanField(
        default=True, help_text="Whether the environment document carries identity overrides."
    )
    use_v2_feature_versioning = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether features change by versions, which are published at once, and not state by state.",
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                "project",
                Digest("name"),
                condition=LIVE,
                name="environment_name_once",
                violation_error_message="An environment with this name already exists.",
            )
        ]
        triggers = [
            *publishes(
                # With its project: an environment that comes into being while a project-wide change is under
                # way must wait for that change's lock on the project, or it would miss it.
                "SELECT changed.project_id, changed.id AS environment_id FROM {changed}",
                [
                    "id",
                    "project_id",
                    "name",
                    "api_key",
                    "allow_client_traits",
                    "hide_disabled_flags",
                    "hide_sensitive_data",
                    "use_identity_composite_key_for_hashing",
                    "use_identity_overrides_in_local_eval",
                    "deleted_at",
                ],
            ),
            *remembers(environment="changed.id", project="changed.project_id"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def hides_disabled_flags(self) -> bool:
        """Whether SDK answers leave out flags whose resolved state is disabled."""
        if self.hide_disabled_flags is None:
            return self.project.hide_disabled_flags
        return self.hide_disabled_flags


class ServerSideKeyQuerySet(models.QuerySet):
    def usable(self) -> Self:
        """Keys that are switched on and haven't expired."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()), active=True)


class ServerSideKey(models.Model):
    """A secret key for servers: it also reads server-only features and the environment document."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="server_side_keys")
    name = models.CharField(max_length=100)
    key = models.CharField(max_length=100, default=server_side_key, unique=True, editable=False)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = ServerSideKeyQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        triggers = [
            *publishes(
                "SELECT 0 AS project_id, changed.environment_id FROM {changed}",
                ["id", "environment_id", "key", "active", "expires_at"],
            ),
            *remembers(environment="changed.environment_id", secrets=["key"]),
        ]

    def __str__(self) -> str:
        return self.name

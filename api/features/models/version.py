"""Versions: all that a feature serves in one environment, to everyone and to segments, published at once."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from core.history import remembers
from core.models import LIVE, SoftDeletableModel
from environments.models import Environment
from features.models.feature import Feature


def gone_live() -> Q:
    """Match versions that are served, or were: the rest are drafts, and published for a later time."""
    # Which is served, the clock doesn't decide: that of the machine that published it may have been ahead.
    return Q(is_live=True) | Q(published=True, live_from__isnull=False, live_from__lte=Now())


class EnvironmentFeatureVersion(SoftDeletableModel):
    """One version of what a feature serves in an environment: a draft, scheduled, served, or a former one.

    Its feature states and feature segments point to it. A draft's may be changed; once it is published
    they are as they are. `is_live` says that it is served, as the column of the same name of its states does:
    going live is a write, and so publishes itself. Overrides of identities belong to no version.
    """

    changes_with = "feature"

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="feature_versions", editable=False
    )
    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="versions", editable=False)
    description = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    created_by_key = models.ForeignKey(
        "organisations.MasterKey", on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    created_by_key_name = models.CharField(
        max_length=50,
        blank=True,
        db_default="",
        editable=False,
        help_text="The master key's name, as it was.",
    )
    published = models.BooleanField(default=False, db_default=False, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    published_by_key = models.ForeignKey(
        "organisations.MasterKey", on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    published_by_key_name = models.CharField(
        max_length=50,
        blank=True,
        db_default="",
        editable=False,
        help_text="The master key's name, as it was.",
    )
    live_from = models.DateTimeField(
        null=True, blank=True, help_text="When it goes or went live. Empty: when it is published."
    )
    is_live = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Whether it is what is served."
    )

    class Meta:
        ordering = ["-created_at", "-uuid"]
        indexes = [
            models.Index(fields=["environment", "feature", "-created_at"], name="versions_newest_first")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "feature"],
                condition=LIVE & Q(is_live=True),
                name="one_live_version",
                violation_error_message="Another version has gone live at the same moment.",
            ),
            models.CheckConstraint(
                condition=Q(is_live=False) | Q(published=True, live_from__isnull=False),
                name="live_version_published",
            ),
        ]
        triggers = remembers(
            key="uuid",
            name="(SELECT name FROM features_feature WHERE id = changed.feature_id)",
            environment="changed.environment_id",
            ignored=["updated_at"],
        )

    def __str__(self) -> str:
        return f"{self.feature} in {self.environment}, version {self.uuid}"

    @property
    def has_gone_live(self) -> bool:
        """Whether it is served, or was."""
        return self.is_live or (
            self.published and self.live_from is not None and self.live_from <= timezone.now()
        )

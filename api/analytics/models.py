"""How often SDKs evaluated each feature, added up in buckets of fifteen minutes.

Plain integers and names instead of foreign keys: these tables may live in a database of their own,
and what was counted outlives what it was counted for. Nothing here shows in an environment
document, so no write raises a revision.
"""

from django.db import models

from core.digests import Digest

BUCKET_MINUTES = 15


class FeatureEvaluationBucket(models.Model):
    """How often a feature was evaluated in an environment within the fifteen minutes from `started_at`."""

    id = models.BigAutoField(primary_key=True)
    environment_id = models.PositiveIntegerField()
    feature_name = models.CharField(max_length=2000)
    started_at = models.DateTimeField()
    total_count = models.BigIntegerField()

    class Meta:
        ordering = ["-started_at", "id"]
        constraints = [
            models.UniqueConstraint(
                "environment_id", Digest("feature_name"), "started_at", name="one_bucket_per_feature"
            )
        ]

    def __str__(self) -> str:
        return f"{self.feature_name}: {self.total_count} from {self.started_at:%Y-%m-%d %H:%M}"


class IdentityEvaluationBucket(models.Model):
    """What version 2 of the endpoint tells besides: for whom, and what the feature served.

    These counts are part of the feature's own bucket too. An empty `identity_identifier` stands for
    evaluations without an identity.
    """

    id = models.BigAutoField(primary_key=True)
    environment_id = models.PositiveIntegerField()
    feature_name = models.CharField(max_length=2000)
    identity_identifier = models.CharField(max_length=2000, blank=True)
    enabled_when_evaluated = models.BooleanField()
    started_at = models.DateTimeField()
    total_count = models.BigIntegerField()

    class Meta:
        ordering = ["-started_at", "id"]
        constraints = [
            models.UniqueConstraint(
                "environment_id",
                Digest("feature_name"),
                Digest("identity_identifier"),
                "enabled_when_evaluated",
                "started_at",
                name="one_bucket_per_identity",
            )
        ]

    def __str__(self) -> str:
        return f"{self.feature_name} for {self.identity_identifier or 'nobody'}: {self.total_count}"

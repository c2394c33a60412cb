"""How often SDKs asked, and how often they evaluated each feature, added up in buckets of fifteen minutes.

Plain integers and names instead of foreign keys: these tables may live in a database of their own
(`core.routing`), and what was counted outlives what it was counted for. Nothing here shows in an environment
document, so no write raises a revision.

The tables of buckets have a part for each week: `analytics.partitions`.
"""

from django.db import models
from django.db.models.functions import Now

from core.digests import Digest

BUCKET_MINUTES = 15
LONGEST_LABEL = 100


class Resource(models.IntegerChoices):
    """What requests are counted for, under the numbers that Flagsmith stores."""

    FLAGS = 1, "flags"
    IDENTITIES = 2, "identities"
    TRAITS = 3, "traits"
    ENVIRONMENT_DOCUMENT = 4, "environment-document"


class RequestBucket(models.Model):
    """How many requests came for a resource within the fifteen minutes from `started_at`, and from what.

    An empty label stands for what a client didn't say.
    """

    id = models.BigAutoField(primary_key=True)
    environment_id = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    resource = models.PositiveSmallIntegerField(choices=Resource)
    user_agent = models.CharField(max_length=LONGEST_LABEL, blank=True)
    application_name = models.CharField(max_length=LONGEST_LABEL, blank=True)
    application_version = models.CharField(max_length=LONGEST_LABEL, blank=True)
    total_count = models.BigIntegerField()

    class Meta:
        ordering = ["-started_at", "id"]
        constraints = [
            # In this order it also finds the days of some environments.
            models.UniqueConstraint(
                fields=[
                    "environment_id",
                    "started_at",
                    "resource",
                    "user_agent",
                    "application_name",
                    "application_version",
                ],
                name="one_bucket_per_client",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_resource_display()}: {self.total_count} from {self.started_at:%Y-%m-%d %H:%M}"


class FirstEvaluation(models.Model):
    """When an environment was first evaluated, as somebody told who evaluates it elsewhere, and with what."""

    environment_id = models.PositiveIntegerField(primary_key=True)
    evaluated_at = models.DateTimeField(db_default=Now())
    sdk_label = models.CharField(max_length=LONGEST_LABEL)

    def __str__(self) -> str:
        return f"{self.sdk_label} in {self.environment_id}"


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


class CountsWriter(models.Model):
    """How far a process has come with writing its counts, so that a batch sent twice counts once."""

    id = models.UUIDField(primary_key=True, editable=False)
    batch = models.BigIntegerField()
    written_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.id}: {self.batch}"

"""Segments: named rules over identities."""

import uuid
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from core.history import remembers
from core.models import SoftDeletableManager, SoftDeletableModel, SoftDeletableQuerySet
from core.publishing import publishes
from projects.models import Project


class ManagedBy(models.TextChoices):
    """What else than people keeps a segment's rules. People can't change those then."""

    COHORT = "cohort"


class SegmentQuerySet(SoftDeletableQuerySet):
    def for_people(self) -> Self:
        """Narrow to what the management API shows."""
        return self.filter(is_system_segment=False)


class SegmentManager(SoftDeletableManager.from_queryset(SegmentQuerySet)):  # type: ignore[misc]
    """Shows what isn't deleted."""


class Segment(SoftDeletableModel):
    """A rule over identities. One with a `feature` is only for that feature's overrides.

    A system segment is evaluated like any other, and nobody sees it in the management API.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="segments")
    feature = models.ForeignKey(
        "features.Feature",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="feature_specific_segments",
    )
    name = models.CharField(max_length=2000)
    description = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    is_system_segment = models.BooleanField(default=False, db_default=False, editable=False)
    managed_by = models.CharField(
        max_length=50, choices=ManagedBy, default="", db_default="", blank=True, editable=False
    )

    objects: ClassVar[SegmentManager] = SegmentManager()

    class Meta:
        ordering = ["id"]
        triggers = [
            *publishes(
                "SELECT changed.project_id, 0 AS environment_id FROM {changed}",
                ["id", "name", "project_id", "feature_id", "deleted_at"],
            ),
            *remembers(project="changed.project_id", ignored=["updated_at"]),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentRevision(models.Model):
    """What a segment was before a change: `{"name", "description", "feature", "rules", "metadata"}`.

    In a table of its own, so that no list, count or look-up of segments has to leave it out.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="revisions")
    content = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.segment} until {self.created_at}"


class RuleType(models.TextChoices):
    ALL = "ALL"
    ANY = "ANY"
    NONE = "NONE"


class SegmentRule(models.Model):
    """Combines conditions and further rules. Rules without a `parent` are the segment's roots.

    Nested rules name their segment too, so that one query finds all rules of many segments.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="rules")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="rules")
    type = models.CharField(max_length=50, choices=RuleType)

    class Meta:
        ordering = ["id"]
        triggers = [
            *publishes(
                "SELECT segment.project_id, 0 AS environment_id "
                "FROM {changed} JOIN segments_segment AS segment ON segment.id = changed.segment_id",
                ["id", "segment_id", "parent_id", "type"],
            ),
            *remembers(
                name="(SELECT name FROM segments_segment WHERE id = changed.segment_id)",
                project="(SELECT project_id FROM segments_segment WHERE id = changed.segment_id)",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} rule {self.pk}"


class Operator(models.TextChoices):
    EQUAL = "EQUAL", "equals"
    NOT_EQUAL = "NOT_EQUAL", "does not equal"
    GREATER_THAN = "GREATER_THAN", "is greater than"
    GREATER_THAN_INCLUSIVE = "GREATER_THAN_INCLUSIVE", "is at least"
    LESS_THAN = "LESS_THAN", "is less than"
    LESS_THAN_INCLUSIVE = "LESS_THAN_INCLUSIVE", "is at most"
    CONTAINS = "CONTAINS", "contains"
    NOT_CONTAINS = "NOT_CONTAINS", "does not contain"
    REGEX = "REGEX", "matches the regular expression"
    PERCENTAGE_SPLIT = "PERCENTAGE_SPLIT", "is in the first … percent"
    MODULO = "MODULO", "modulo divisor|remainder"
    IS_SET = "IS_SET", "is set"
    IS_NOT_SET = "IS_NOT_SET", "is not set"
    IN = "IN", "is one of"


_SEGMENT_OF_RULE = """(
    SELECT segment.{column} FROM segments_segment AS segment
    JOIN segments_segmentrule AS rule ON rule.segment_id = segment.id WHERE rule.id = changed.rule_id
)"""


class Condition(models.Model):
    rule = models.ForeignKey(SegmentRule, on_delete=models.CASCADE, related_name="conditions")
    operator = models.CharField(max_length=50, choices=Operator)
    property = models.CharField(
        max_length=1000, null=True, blank=True, help_text="A trait, or a path such as $.identity.identifier."
    )
    value = models.TextField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(operator__in=Operator.values), name="condition_operator_known")
        ]
        triggers = [
            *publishes(
                "SELECT segment.project_id, 0 AS environment_id "
                "FROM {changed} JOIN segments_segmentrule AS rule ON rule.id = changed.rule_id "
                "JOIN segments_segment AS segment ON segment.id = rule.segment_id",
                ["id", "rule_id", "operator", "property", "value"],
            ),
            *remembers(
                name=_SEGMENT_OF_RULE.format(column="name"),
                project=_SEGMENT_OF_RULE.format(column="project_id"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.property} {self.operator} {self.value}"

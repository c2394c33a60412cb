"""Change requests: what somebody wants changed, who has to agree, and when it takes effect."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.history import remembers
from core.models import LIVE, SoftDeletableManager, SoftDeletableModel, SoftDeletableQuerySet
from environments.models import Environment
from features.models import EnvironmentFeatureVersion, Feature
from organisations.models import Group
from projects.models import Project
from segments.models import Segment

_REQUEST = "(SELECT {column} FROM workflows_changerequest WHERE id = changed.change_request_id)"
_OF_REQUEST = {
    "environment": _REQUEST.format(column="environment_id"),
    "project": _REQUEST.format(column="project_id"),
}

COMMITTED = Q(committed_at__isnull=False)


class ChangeRequestQuerySet(SoftDeletableQuerySet):
    def open(self) -> Self:
        """Narrow to those that nobody has committed."""
        return self.exclude(COMMITTED)

    def scheduled(self) -> Self:
        """Narrow to those that were committed, and are still to take effect, at least in part."""
        waiting = RequestedChange.objects.filter(PENDING, live_from__gt=Now())
        return self.filter(COMMITTED, pk__in=waiting.values("change_request"))


class ChangeRequestManager(SoftDeletableManager.from_queryset(ChangeRequestQuerySet)):  # type: ignore[misc]
    """Shows what isn't deleted."""


class ChangeRequest(SoftDeletableModel):
    """What somebody wants changed in an environment; or, without one, of a project's segments.

    It has no effect until it is committed. What it changes are its `changes`; each has its own moment.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="change_requests")
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, related_name="change_requests"
    )
    title = models.CharField(max_length=500)
    description = models.TextField(max_length=20_000, null=True, blank=True)
    ignore_conflicts = models.BooleanField(
        default=False, db_default=False, help_text="Whether it overwrites what others changed meanwhile."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    user_key = models.ForeignKey(
        "organisations.MasterKey", on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    user_key_name = models.CharField(max_length=50, blank=True, db_default="", editable=False)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
        help_text="Whoever edited it last. What one has written oneself, one doesn't approve.",
    )
    committed_at = models.DateTimeField(null=True, editable=False)
    committed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    committed_by_key = models.ForeignKey(
        "organisations.MasterKey", on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    committed_by_key_name = models.CharField(max_length=50, blank=True, db_default="", editable=False)

    objects: ClassVar[ChangeRequestManager] = ChangeRequestManager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["environment", "-created_at"], name="requests_of_environment"),
            models.Index(fields=["project", "-created_at"], name="requests_of_project"),
        ]
        triggers = remembers(
            name="changed.title",
            environment="changed.environment_id",
            project="changed.project_id",
            ignored=["updated_at"],
        )

    def __str__(self) -> str:
        return self.title

    @property
    def minimum_approvals(self) -> int | None:
        """How many have to approve. None: changes need no request here, and none has to be approved."""
        place: Any = self.environment or self.project
        minimum: int | None = place.minimum_change_request_approvals
        return minimum

    @property
    def is_committed(self) -> bool:
        return self.committed_at is not None


class ChangeKind(models.TextChoices):
    """In which of its forms a change was asked for, and is shown."""

    STATE = "state", "One feature state"
    CHANGE_SET = "change_set", "Several states of one feature"
    VERSION = "version", "A version, as it was drafted"
    SEGMENT = "segment", "A segment"


# Neither done, nor given up.
PENDING = LIVE & Q(applied_at__isnull=True, given_up_at__isnull=True)


class RequestedChange(SoftDeletableModel):
    """One thing that a request changes: a feature in the request's environment, or a segment.

    Attributes:
        content: what it becomes, with rows named by their ids only; see `workflows.content`.
        basis: what it was when that was asked for. Where it is something else by now, there is a conflict.
    """

    changes_with = "change_request"

    change_request = models.ForeignKey(ChangeRequest, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=20, choices=ChangeKind, editable=False)
    feature = models.ForeignKey(
        Feature, on_delete=models.CASCADE, null=True, related_name="requested_changes", editable=False
    )
    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, null=True, related_name="requested_changes", editable=False
    )
    version = models.ForeignKey(
        EnvironmentFeatureVersion, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    content = models.JSONField(default=dict, editable=False)
    basis = models.JSONField(default=dict, editable=False)
    live_from = models.DateTimeField(
        null=True, blank=True, help_text="When it takes effect. Empty or past: when it is committed."
    )
    applied_at = models.DateTimeField(null=True, editable=False)
    given_up_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was found that it can't be done as it was asked for."
    )
    reason = models.TextField(blank=True, db_default="", editable=False, help_text="Why it was given up.")

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["feature", "live_from"], condition=PENDING, name="pending_changes_of_feature"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=ChangeKind.SEGMENT, segment__isnull=False, feature__isnull=True)
                | (~Q(kind=ChangeKind.SEGMENT) & Q(segment__isnull=True, feature__isnull=False)),
                name="change_of_one_thing",
            ),
        ]
        triggers = remembers(name=_REQUEST.format(column="title"), **_OF_REQUEST)

    def __str__(self) -> str:
        return f"{self.change_request}: {self.feature or self.segment}"

    @property
    def is_pending(self) -> bool:
        return self.applied_at is None and self.given_up_at is None


class Approval(models.Model):
    """That somebody is asked to approve a request; with `approved_at`, that they did."""

    changes_with = "change_request"

    change_request = models.ForeignKey(ChangeRequest, on_delete=models.CASCADE, related_name="approvals")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    is_requested = models.BooleanField(
        default=True, db_default=True, help_text="Whether they were asked to, or approved unasked."
    )
    approved_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["change_request", "user"],
                name="one_approval_per_user",
                violation_error_message="This user is asked to approve it already.",
            )
        ]
        triggers = remembers(name="(SELECT email FROM users_user WHERE id = changed.user_id)", **_OF_REQUEST)

    def __str__(self) -> str:
        return f"{self.user} for {self.change_request}"


class GroupAssignment(models.Model):
    """That a group's members are asked to approve a request."""

    changes_with = "change_request"

    change_request = models.ForeignKey(
        ChangeRequest, on_delete=models.CASCADE, related_name="group_assignments"
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["change_request", "group"],
                name="one_assignment_per_group",
                violation_error_message="This group is asked to approve it already.",
            )
        ]
        triggers = remembers(
            name="(SELECT name FROM organisations_group WHERE id = changed.group_id)", **_OF_REQUEST
        )

    def __str__(self) -> str:
        return f"{self.group} for {self.change_request}"


class Comment(models.Model):
    """What somebody has to say about a request. It stays as it was said."""

    changes_with = "change_request"

    change_request = models.ForeignKey(ChangeRequest, on_delete=models.CASCADE, related_name="comments")
    text = models.TextField(max_length=20_000)
    created_at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    user_key = models.ForeignKey(
        "organisations.MasterKey", on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    user_key_name = models.CharField(max_length=50, blank=True, db_default="", editable=False)

    class Meta:
        ordering = ["id"]
        triggers = remembers(name=_REQUEST.format(column="title"), **_OF_REQUEST)

    def __str__(self) -> str:
        return f"{self.user or self.user_key_name} about {self.change_request}"

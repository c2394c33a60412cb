"""Jobs: what is to be done, is being done and was done in the background. All times are the database's."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from tasks.registry import NORMAL_PRIORITY


class State(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead", "dead: out of attempts"
    DISCARDED = "discarded"


UNFINISHED = Q(state__in=[State.WAITING, State.RUNNING])


class Job(models.Model):
    """One task to run, with its arguments.

    A worker that takes it writes down a token and until when it may run, and counts the attempt, before it
    begins. Whatever it writes afterwards, it writes to the row with that token only: a worker that was too
    slow finds that the row is somebody else's.
    """

    id = models.BigAutoField(primary_key=True)
    task = models.CharField(max_length=200)
    arguments = models.JSONField(default=dict)
    key = models.CharField(max_length=200, null=True)
    priority = models.PositiveSmallIntegerField(default=NORMAL_PRIORITY)
    run_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True, help_text="Which turn of a recurring task this is.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    most_attempts = models.PositiveSmallIntegerField()
    lease_token = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True, default="")
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True, help_text="When its last attempt ended.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["priority", "run_at"], name="jobs_to_take", condition=Q(state="waiting")),
            models.Index(fields=["leased_until"], name="jobs_running", condition=Q(state="running")),
            models.Index(fields=["key"], name="keys_running", condition=Q(state="running")),
            models.Index(fields=["finished_at"], name="jobs_finished", condition=~UNFINISHED),
            models.Index(fields=["id"], name="jobs_dead", condition=Q(state="dead")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="one_waits_per_key", condition=Q(state="waiting")),
            models.UniqueConstraint(
                fields=["task", "due_at"], name="one_job_per_turn", condition=Q(due_at__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["task"], name="one_turn_at_a_time", condition=UNFINISHED & Q(due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} ({self.pk})"


class RecurringTask(models.Model):
    """When a task is due next that runs by itself. Its turns are jobs."""

    name = models.CharField(max_length=200, primary_key=True)
    every = models.DurationField()
    next_due_at = models.DateTimeField()
    is_enabled = models.BooleanField(default=True)
    failures_in_a_row = models.PositiveSmallIntegerField(default=0)
    last_run_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(
        db_default=Now(), help_text="When a worker last had it; without one it goes after half an hour."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

"""What was changed, by whom and when."""

import uuid

from django.conf import settings
from django.db import models


class RelatedObjectType(models.TextChoices):
    ORGANISATION = "ORGANISATION", "Organisation"
    PROJECT = "PROJECT", "Project"
    ENVIRONMENT = "ENVIRONMENT", "Environment"
    FEATURE = "FEATURE", "Feature"
    FEATURE_STATE = "FEATURE_STATE", "Feature state"
    SEGMENT = "SEGMENT", "Segment"
    IDENTITY = "IDENTITY", "Identity"
    EF_VERSION = "EF_VERSION", "Version of a feature"


class AuditRecord(models.Model):
    """One change, in the words that people read: `Flag state updated for feature: new_checkout`.

    `changes` is a list of `{"field": str, "old": value, "new": value}`; empty for what was created or
    deleted. What a machine did has its master key instead of an author, and the key's name as it was.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_date = models.DateTimeField(auto_now_add=True)
    log = models.TextField()
    changes = models.JSONField(default=list, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    master_key = models.ForeignKey(
        "organisations.MasterKey", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    master_key_name = models.CharField(max_length=50, blank=True)
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="audit_records"
    )
    project = models.ForeignKey(
        "projects.Project", on_delete=models.CASCADE, null=True, related_name="audit_records"
    )
    environment = models.ForeignKey(
        "environments.Environment", on_delete=models.CASCADE, null=True, related_name="audit_records"
    )
    related_object_type = models.CharField(max_length=20, choices=RelatedObjectType)
    related_object_id = models.BigIntegerField(null=True)
    related_object_uuid = models.UUIDField(null=True)
    is_system_event = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["project", "-id"], name="audit_by_project"),
            models.Index(fields=["organisation", "-id"], name="audit_by_organisation"),
            models.Index(fields=["related_object_type", "related_object_id"], name="audit_by_related_object"),
        ]

    def __str__(self) -> str:
        return self.log

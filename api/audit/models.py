"""What was changed, by whom and when."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from audit.keeping import never_changes, only_forgets_authors, stays_with_its_organisation
from core.transactions import CurrentTransaction, TransactionIdField


class RelatedObjectType(models.TextChoices):
    """What a record can be about: Flagsmith's words."""

    FEATURE = "FEATURE", "Feature"
    FEATURE_STATE = "FEATURE_STATE", "Feature state"
    SEGMENT = "SEGMENT", "Segment"
    ENVIRONMENT = "ENVIRONMENT", "Environment"
    CHANGE_REQUEST = "CHANGE_REQUEST", "Change request"
    EDGE_IDENTITY = "EDGE_IDENTITY", "Edge identity"
    IMPORT_REQUEST = "IMPORT_REQUEST", "Import request"
    EF_VERSION = "EF_VERSION", "Environment feature version"
    FEATURE_HEALTH = "FEATURE_HEALTH", "Feature health status"
    RELEASE_PIPELINE = "RELEASE_PIPELINE", "Release pipeline"
    WAREHOUSE_CONNECTION = "WAREHOUSE_CONNECTION", "Warehouse connection"
    EXPERIMENT = "EXPERIMENT", "Experiment"
    METRIC = "METRIC", "Metric"


class ChangeType(models.TextChoices):
    """What a record says has become of what it is about. UNKNOWN where it is about more than one row."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    UNKNOWN = "UNKNOWN"


class AuditRecord(models.Model):
    """One change, in the words that people read: `Flag state updated for feature: new_checkout`.

    A record is for good: the database lets nobody change it, and goes without it only when its organisation
    goes too. `transaction` ties it to the rows that were changed with it, and to the revisions those became.

    `changes` is a list of `{"field": str, "old": value, "new": value}`; empty for what was deleted, and for
    what was created unless that is a feature state. What a machine did has its master key instead of an
    author, and the key's name as it was.
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
    change_type = models.CharField(max_length=7, choices=ChangeType, default=ChangeType.UNKNOWN)
    xid = TransactionIdField(null=True, editable=False, db_default=CurrentTransaction())
    transaction_at = models.DateTimeField(null=True, editable=False, db_default=TransactionNow())

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["project", "-id"], name="audit_by_project"),
            models.Index(fields=["organisation", "-id"], name="audit_by_organisation"),
            models.Index(fields=["related_object_type", "related_object_id"], name="audit_by_related_object"),
            models.Index(fields=["xid"], name="audit_by_transaction"),
        ]
        triggers = [only_forgets_authors(), stays_with_its_organisation()]

    def __str__(self) -> str:
        return self.log


class RowChange(models.Model):
    """One row that was inserted, updated or deleted, as the triggers of `core.history` note it.

    Without foreign keys: it tells of rows that may be gone. Each number stands as it was then.

    Attributes:
        at, transaction_at: when it was written, and when the transaction began that wrote it: with `xid` that
            names one transaction, also after a restore, when numbers begin again.
        operation: `INSERT`, `UPDATE`, `DELETE` or `TRUNCATE`.
        name: what people knew the row by.
        before, after: `{"column": value}`: of an update what differs, else the whole row on one of the sides.
        concealed: columns of which only that they changed, or had a value, may be known.
        actor_id, master_key_id, actor_name, source, request_id: see `core.causes.Cause`; empty: nobody known.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    transaction_at = models.DateTimeField()
    xid = TransactionIdField()
    operation = models.CharField(max_length=8)
    table_name = models.CharField(max_length=63)
    object_id = models.TextField()
    object_uuid = models.UUIDField(null=True)
    name = models.TextField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    concealed = ArrayField(models.TextField())
    organisation_id = models.IntegerField(null=True)
    project_id = models.IntegerField(null=True)
    environment_id = models.IntegerField(null=True)
    actor_id = models.IntegerField(null=True)
    master_key_id = models.UUIDField(null=True)
    actor_name = models.TextField()
    source = models.TextField()
    request_id = models.TextField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["organisation_id", "-id"],
                condition=Q(organisation_id__isnull=False),
                name="changes_by_organisation",
            ),
            models.Index(
                fields=["project_id", "-id"], condition=Q(project_id__isnull=False), name="changes_by_project"
            ),
            models.Index(fields=["table_name", "object_id", "-id"], name="changes_by_object"),
            models.Index(fields=["xid"], name="changes_by_transaction"),
        ]
        triggers = [never_changes(), stays_with_its_organisation()]

    def __str__(self) -> str:
        return f"{self.operation} {self.table_name} {self.object_id}"

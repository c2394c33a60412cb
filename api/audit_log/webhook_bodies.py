"""What webhooks are told of the audit log: its items, as lists show them."""

from typing import Any

from audit.models import AuditRecord
from audit_log.serializers import AuditItemSerializer
from webhooks.bodies import tells
from webhooks.models import EventType


@tells(EventType.AUDIT_LOG_CREATED)
def audit_item(record_id: int) -> Any:
    """Return a record as the audit log's lists have it; None: it went with its organisation."""
    records = AuditRecord.objects.select_related("author", "environment", "project")
    record = records.filter(pk=record_id).first()
    return AuditItemSerializer(record).data if record else None

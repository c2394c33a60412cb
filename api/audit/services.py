"""Writing audit records."""

from typing import Any, TypeAlias

from django.db.models import Model

from audit.models import AuditRecord, RelatedObjectType
from permissions.actors import Machine

Author: TypeAlias = Any  # users.models.User, permissions.actors.Machine, or None for the system itself


def record(
    log: str,
    *,
    author: Author,
    related_object: Model,
    related_object_type: RelatedObjectType,
    organisation_id: int,
    project_id: int | None = None,
    environment_id: int | None = None,
    changes: list[dict[str, Any]] | None = None,
) -> AuditRecord:
    """Note a change, in the transaction that makes it.

    Args:
        log: the sentence people read, e.g. `New Environment created: Production`.
        author: the user or the machine, or None for the system itself.
        changes: `[{"field", "old", "new"}]`, of an update only.
    """
    machine = author if isinstance(author, Machine) else None
    return AuditRecord.objects.create(
        log=log,
        author=None if machine else author,
        master_key_id=machine.key_id if machine else None,
        master_key_name=machine.name if machine else "",
        organisation_id=organisation_id,
        project_id=project_id,
        environment_id=environment_id,
        related_object_id=related_object.pk,
        related_object_uuid=getattr(related_object, "uuid", None),
        related_object_type=related_object_type,
        changes=changes or [],
        is_system_event=author is None,
    )

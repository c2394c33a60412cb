"""Writing audit records, and telling those who follow them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

from django.db.models import Model

from audit.followers import tell_followers
from audit.models import AuditRecord, ChangeType, RelatedObjectType
from permissions.actors import Machine
from webhooks.services import tell_of_records

Author: TypeAlias = Any  # users.models.User, permissions.actors.Machine, or None for the system itself


_waiting: ContextVar[list[AuditRecord] | None] = ContextVar("waiting audit records", default=None)


@contextmanager
def writing_together() -> Iterator[None]:
    """Write the records of what is done inside at its end, in one statement; none if it fails.

    For what makes hundreds of changes at once. Records that `record` returns have no id before the end.
    """
    if _waiting.get() is not None:  # whoever called this one will write them
        yield
        return
    waiting: list[AuditRecord] = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    _tell_of(AuditRecord.objects.bulk_create(waiting))


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
    change_type: ChangeType | None = None,
) -> AuditRecord:
    """Note a change, in the transaction that makes it.

    Args:
        log: the sentence people read, e.g. `New Environment created: Production`.
        author: the user or the machine, or None for the system itself.
        changes: `[{"field", "old", "new"}]`, of updates, and of new feature states.
        change_type: if none is given: UPDATE where there are changes.
    """
    machine = author if isinstance(author, Machine) else None
    new = AuditRecord(
        log=log,
        author=None if machine else author,
        master_key_id=machine.key_id if machine else None,
        master_key_name=machine.name if machine else "",
        organisation_id=organisation_id,
        project_id=project_id,
        environment_id=environment_id,
        # What has no number is known by its uuid alone.
        related_object_id=related_object.pk if isinstance(related_object.pk, int) else None,
        related_object_uuid=getattr(related_object, "uuid", None),
        related_object_type=related_object_type,
        changes=changes or [],
        change_type=change_type or (ChangeType.UPDATE if changes else ChangeType.UNKNOWN),
        is_system_event=author is None,
    )
    waiting = _waiting.get()
    if waiting is None:
        new.save(force_insert=True)
        _tell_of([new])
    else:
        waiting.append(new)
    return new


def _tell_of(records: Sequence[AuditRecord]) -> None:
    tell_of_records(records)
    tell_followers(records)

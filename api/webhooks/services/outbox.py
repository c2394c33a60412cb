"""Writing what webhooks are to be told, in the transaction of what happened.

Rows are only added here, and nothing waits: which webhooks listen, the events, a delivery to each listener,
and one job that begins with sending once all that is committed. Where nobody listens, it is one look.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.db import connection
from django.utils import timezone

from tasks.services import enqueue
from webhooks.bodies import text_of
from webhooks.models import Delivery, Event, EventType
from webhooks.recipients import Recipient

PATIENCE = timedelta(hours=24)
_TOLD_TO = {
    EventType.FLAG_UPDATED: ("environment", "organisation"),
    EventType.FLAG_DELETED: ("environment", "organisation"),
    EventType.NEW_VERSION_PUBLISHED: ("environment",),
    EventType.AUDIT_LOG_CREATED: ("organisation",),
}
_IN_ENVIRONMENTS = """
SELECT environment_id, 'environment', id FROM environments_environmentwebhook
WHERE enabled AND environment_id = ANY(%(ids)s)
UNION ALL
SELECT environment.id, 'organisation', webhook.id FROM environments_environment AS environment
JOIN projects_project AS project ON project.id = environment.project_id
JOIN organisations_organisationwebhook AS webhook ON webhook.organisation_id = project.organisation_id
WHERE webhook.enabled AND environment.id = ANY(%(ids)s)
ORDER BY 1, 2, 3
"""
_OF_ORGANISATIONS = """
SELECT organisation_id, 'organisation', id FROM organisations_organisationwebhook
WHERE enabled AND organisation_id = ANY(%(ids)s) ORDER BY id
"""


# Stronger than what a foreign key takes: who deletes one looks for its deliveries before they delete the row.
_HOLD = "SELECT id FROM {table} WHERE id = ANY(%(ids)s) ORDER BY id FOR SHARE"


class Origin(NamedTuple):
    """Where something happened."""

    organisation_id: int
    project_id: int | None = None
    environment_id: int | None = None


@dataclass(frozen=True)
class Notice:
    """Something that listeners are to be told.

    Attributes:
        subject: what it is about, e.g. `feature 7`: of one subject, listeners hear in order.
        data: what is said of it. Dates as text: the encoder would shorten them.
        source_id: instead of `data`, the row that it will be made from, see `webhooks.bodies`.
    """

    event_type: EventType
    origin: Origin
    subject: str
    data: Any = None
    source_id: int | None = None


class AuditRow(Protocol):
    """What is needed of an audit record."""

    pk: int
    organisation_id: int
    project_id: int | None
    environment_id: int | None
    related_object_type: str
    related_object_id: int | None


def listeners_in(environment_ids: Iterable[int]) -> dict[int, list[Recipient]]:
    """Return the webhooks that are told what happens in environments, by environment; those with any."""
    return _listeners(_IN_ENVIRONMENTS, environment_ids)


def tell(notices: Sequence[tuple[Notice, Sequence[Recipient]]]) -> None:
    """Have each notice told to those of its listeners that its kind is for, in order of the list."""
    addressed = [
        (notice, [each for each in listeners if each.kind in _TOLD_TO[notice.event_type]])
        for notice, listeners in notices
    ]
    there = _held({listener for _, listeners in addressed for listener in listeners})
    addressed = [(notice, [each for each in listeners if each in there]) for notice, listeners in addressed]
    addressed = [(notice, listeners) for notice, listeners in addressed if listeners]
    if not addressed:
        return
    events = Event.objects.bulk_create(_event(notice) for notice, _ in addressed)
    give_up_at = timezone.now() + PATIENCE
    Delivery.objects.bulk_create(
        Delivery(event=event, subject=event.subject, give_up_at=give_up_at, **listener.columns)
        for event, (_, listeners) in zip(events, addressed, strict=True)
        for listener in listeners
    )
    # Without a key: changes would wait for each other until the other is committed, and for ever in a circle.
    enqueue("webhooks.begin_sending", arguments={"recipients": sorted(there)})


def tell_of_records(records: Sequence[AuditRow]) -> None:
    """Have organisations' webhooks told of new audit records that are about a project or an environment."""
    told = [each for each in records if each.project_id or each.environment_id]
    listeners = _listeners(_OF_ORGANISATIONS, {each.organisation_id for each in told})
    tell([(_of_record(each), listeners.get(each.organisation_id, [])) for each in told])


def _held(listeners: Collection[Recipient]) -> set[Recipient]:
    """Return those that are there still, and keep them from being deleted until this is committed."""
    held = set()
    for kind in ("environment", "organisation"):
        ids = sorted(each.webhook_id for each in listeners if each.kind == kind)
        if ids:
            with connection.cursor() as cursor:
                cursor.execute(_HOLD.format(table=f"{kind}s_{kind}webhook"), {"ids": ids})
                held |= {Recipient(kind, webhook_id) for (webhook_id,) in cursor.fetchall()}
    return held


def _of_record(record: AuditRow) -> Notice:
    return Notice(
        EventType.AUDIT_LOG_CREATED,
        Origin(record.organisation_id, record.project_id, record.environment_id),
        f"audit {record.related_object_type} {record.related_object_id or ''}".strip(),
        source_id=record.pk,
    )


def _event(notice: Notice) -> Event:
    return Event(
        event_type=notice.event_type,
        subject=notice.subject,
        body="" if notice.source_id else text_of(notice.event_type, notice.data),
        source_id=notice.source_id,
        **notice.origin._asdict(),
    )


def _listeners(sql: str, ids: Iterable[int]) -> dict[int, list[Recipient]]:
    wanted = sorted(set(ids))
    if settings.DISABLE_WEBHOOKS or not wanted:
        return {}
    found = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"ids": wanted})
        for place, kind, webhook_id in cursor.fetchall():
            found[place].append(Recipient(kind, webhook_id))
    return dict(found)

"""Who is told of what."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from audit.models import AuditRecord
from integrations.kinds import IDENTITY_KINDS, KINDS
from integrations.models import Integration

_TOLD_OF_CHANGES = [kind.name for kind in KINDS.values() if kind.of_event]


def integration_with(key: int) -> Integration | None:
    """Return a connection that is still there, and whose place is."""
    integrations: QuerySet[Integration] = Integration.objects.select_related(
        "environment__project", "project"
    )
    return integrations.filter(pk=key).first()


def to_be_told(records: Sequence[AuditRecord]) -> list[tuple[Integration, AuditRecord]]:
    """Return which services are told of which records. One query, however many records there are.

    Of each kind it is one service: the project's, or else the environment's, or else the organisation's.
    """
    if not records:
        return []
    places = (
        Q(project__in={each.project_id for each in records if each.project_id})
        | Q(environment__in={each.environment_id for each in records if each.environment_id})
        | Q(organisation__in={each.organisation_id for each in records})
    )
    connected = list(Integration.objects.filter(places, kind__in=_TOLD_OF_CHANGES))
    return [(each, record) for record in records for each in _of(record, connected)]


def _of(record: AuditRecord, connected: list[Integration]) -> list[Integration]:
    by_kind: dict[str, Integration] = {}
    # The nearest last, so that it stays.
    for place in ("organisation_id", "environment_id", "project_id"):
        here = getattr(record, place)
        for each in connected:
            if here is not None and getattr(each, place) == here:
                by_kind[each.kind] = each
    return [each for each in by_kind.values() if record.related_object_type in each.about.hears]


def told_of_identities(environment_id: int) -> list[int]:
    """Return the ids of the connections that hear of identities of an environment."""
    integrations = Integration.objects.filter(environment=environment_id, kind__in=IDENTITY_KINDS)
    return list(integrations.values_list("pk", flat=True))

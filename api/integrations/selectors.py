"""Who is told of what."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from audit.models import AuditRecord
from integrations.kinds import IDENTITY_KINDS, KINDS
from integrations.models import Integration

_TOLD_OF_CHANGES = [kind.name for kind in KINDS.values() if kind.of_event]
# Messages with identities that may wait for one service, which is slower than they come.
_MOST_WAITING = 500


def integration_with(key: int) -> Integration | None:
    """Return a connection that is still there, with its place."""
    integrations: QuerySet[Integration] = Integration.objects.select_related(
        "environment__project", "project"
    )
    return integrations.filter(pk=key).first()


def configuration_of(integration: Integration) -> dict[str, Any]:
    """Return all that is needed to call a service, its project's part of it too."""
    environment, rests_on = integration.environment, integration.about.rests_on
    if environment is None or rests_on is None:
        return integration.configuration
    return {**shared_configuration(rests_on, environment.project_id), **integration.configuration}


def shared_configuration(kind: str, project_id: int) -> dict[str, Any]:
    """Return what connections of a project's environments share: that of the project's own of a kind."""
    found = Integration.objects.filter(kind=kind, project=project_id).first()
    return found.configuration if found else dict(KINDS[kind].absent)


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
    # Without what it is called with: a change must not fail because that can't be decrypted any more.
    connected = list(Integration.objects.filter(places, kind__in=_TOLD_OF_CHANGES).defer("secrets"))
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
    """Return the ids of the connections that hear of identities of an environment, and can now.

    One that takes nothing at the moment, or not as much, is left out: identities come again.
    """
    integrations = Integration.objects.filter(environment=environment_id, kind__in=IDENTITY_KINDS)
    hearing = integrations.exclude(paused_until__gt=Now()).annotate(waiting=Count("messages"))
    return list(hearing.filter(waiting__lt=_MOST_WAITING).values_list("pk", flat=True))

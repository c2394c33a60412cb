"""Erasing everything that is kept under an identifier, as people may ask of whoever knows them by it.

Other packages keep identifiers too. Those below this one are called from here, those above say how they erase
theirs when Django starts.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from django.db import transaction
from django.db.models import Count, Q

from audit import erasure as audit_erasure
from audit.models import RelatedObjectType
from audit.services import Author, record
from environments.models import Environment
from identities.kept_traits import kept_traits
from identities.models import Identity
from organisations.models import Organisation
from projects.models import Project
from webhooks import erasure as webhook_erasure


class Eraser(Protocol):
    """Erases what is kept under an identifier in some environments, and returns how many rows that were."""

    def __call__(self, identifier: str, environment_ids: Collection[int], *, dry_run: bool) -> int: ...


_erasers: list[Eraser] = []


def erase_also_by(eraser: Eraser) -> None:
    if eraser not in _erasers:
        _erasers.append(eraser)


@dataclass(frozen=True)
class Erasure:
    """What was erased, or would be."""

    identities: int
    overrides: int
    evaluations: int
    audit_entries: int


@transaction.atomic
def erase_identifier(
    identifier: str, within: Project | Organisation, *, author: Author, dry_run: bool = False
) -> Erasure:
    """Erase what is kept under an identifier in all environments of a project or of an organisation.

    Identities with their traits and overrides, which publishes; counts of evaluations; messages to webhooks;
    and the identifier out of the audit log. Deleted environments aren't left out. The log says that somebody
    was erased, by whom and from what, and not who that was.
    """
    client_keys = _client_keys(within)
    environment_ids = list(client_keys)
    identities = Identity.objects.filter(environment__in=environment_ids).with_identifier(identifier)
    of_identities = Q(feature_states__deleted_at__isnull=True, feature_states__isnull=False)
    counts = identities.aggregate(overrides=Count("feature_states", filter=of_identities))
    number = identities.count()
    if not dry_run:
        ids = list(identities.values_list("pk", flat=True))
        webhook_erasure.erase_identifier(identifier, ids, environment_ids)
        Identity.objects.filter(pk__in=ids).delete()
        kept_traits.drop_at_commit({(each, identifier): key for each, key in client_keys.items()})
    evaluations = sum(erase(identifier, environment_ids, dry_run=dry_run) for erase in _erasers)
    # Last: deleting has left its own lines in the log.
    audit_entries = audit_erasure.erase_identifier(identifier, environment_ids, dry_run=dry_run)
    if not dry_run:
        _record(within, number, author)
    return Erasure(number, counts["overrides"], evaluations, audit_entries)


def _client_keys(within: Project | Organisation) -> dict[int, str]:
    place = {"project": within} if isinstance(within, Project) else {"project__organisation": within}
    return dict(Environment.all_objects.filter(**place).order_by("pk").values_list("pk", "api_key"))


def _record(within: Project | Organisation, number: int, author: Author) -> None:
    is_project = isinstance(within, Project)
    record(
        f"An identifier was erased from {'project' if is_project else 'organisation'}: {within.name} "
        f"({number} identit{'y' if number == 1 else 'ies'})",
        author=author,
        related_object=Identity(),  # no id either, by which one that was renamed could be told
        related_object_type=RelatedObjectType.EDGE_IDENTITY,
        organisation_id=within.organisation_id if isinstance(within, Project) else within.pk,
        project_id=within.pk if is_project else None,
    )

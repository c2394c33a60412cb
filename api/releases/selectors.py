"""Revisions of environments: which change made each of them, and what that was."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from audit.models import AuditRecord, RowChange
from environments.models import Environment, EnvironmentRevision, PublishedRevision
from features.models import Feature, MultivariateOption
from features.services.places import Target
from identities.models import Identity
from releases.contents import Content, Wanted
from releases.reversals import Rows
from releases.rewinding import TABLES, contents_around
from segments.models import Segment

# What one comparison may go through.
MOST_REVISIONS = 1_000


def revisions_of(environment: Environment) -> QuerySet[PublishedRevision]:
    """Return the revisions of an environment, newest first. After a restore, numbers may come again."""
    revisions: QuerySet[PublishedRevision] = PublishedRevision.objects.filter(environment_id=environment.pk)
    return revisions.order_by("-revision", "-pk")


def current_number(environment_id: int) -> int:
    """Return the number of the revision that SDKs are served; 0 before the first."""
    found = EnvironmentRevision.objects.filter(environment_id=environment_id)
    return found.values_list("revision", flat=True).first() or 0


def changes_of(revisions: Collection[PublishedRevision], environment_id: int) -> list[RowChange]:
    """Return what the transactions that made these revisions have changed of an environment's states."""
    transactions = {(each.xid, each.transaction_at) for each in revisions}
    rows = RowChange.objects.filter(
        xid__in={xid for xid, _ in transactions}, table_name__in=TABLES, environment_id=environment_id
    )
    return [row for row in rows.order_by("pk") if (row.xid, row.transaction_at) in transactions]


def contents_of(
    revisions: Collection[PublishedRevision], environment_id: int
) -> tuple[dict[Target, Content], dict[Target, Content]]:
    """Return what was served before some revisions that follow each other, and after them."""
    return contents_around(changes_of(revisions, environment_id))


def add_records(revisions: Iterable[Any], environment: Environment) -> None:
    """Give each revision `records`: what the audit log says of its change in this environment. One query."""
    revisions = list(revisions)
    records = AuditRecord.objects.filter(
        xid__in={each.xid for each in revisions}, environment=environment
    ).select_related("author")
    by_transaction = defaultdict(list)
    for record in records.order_by("pk"):
        by_transaction[record.xid, record.transaction_at].append(record)
    for each in revisions:
        each.records = by_transaction[each.xid, each.transaction_at]


def rows_there(project_id: int, contents: Sequence[Wanted]) -> Rows:
    """Return what of a project is still there, of what contents refer to."""
    targets = {target for each in contents for target in each}
    features = Feature.objects.filter(project=project_id, pk__in={each[1] for each in targets})
    segments = Segment.objects.filter(project=project_id, pk__in={each[2] for each in targets if each[2]})
    identities = Identity.objects.filter(
        environment__project=project_id, pk__in={each[3] for each in targets if each[3]}
    )
    shares = {
        share.option_id
        for each in contents
        for content in each.values()
        if content is not None
        for share in content.allocations
    }
    options = MultivariateOption.objects.filter(feature__project=project_id, pk__in=shares)
    return Rows(
        *(set(rows.values_list("pk", flat=True)) for rows in (features, segments, identities, options))
    )


class Names:
    """What people call the features, segments and identities that targets name. Three queries."""

    def __init__(self, targets: Iterable[Target]) -> None:
        targets = list(targets)
        self._features = _names(Feature.all_objects, "name", {each[1] for each in targets})
        self._segments = _names(Segment.all_objects, "name", {each[2] for each in targets})
        self._identities = _names(Identity.objects, "identifier", {each[3] for each in targets})

    def of(self, target: Target) -> dict[str, Any]:
        """Return a target as the wire has it. Names of what is gone for good are null."""
        _, feature_id, segment_id, identity_id = target
        return {
            "kind": kind_of(target),
            "feature": {"id": feature_id, "name": self._features.get(feature_id)},
            "segment": segment_id and {"id": segment_id, "name": self._segments.get(segment_id)},
            "identity": identity_id and {"id": identity_id, "identifier": self._identities.get(identity_id)},
        }


def kind_of(target: Target) -> str:
    if target[3] is not None:
        return "identity_override"
    return "environment_default" if target[2] is None else "segment_override"


def _names(rows: Any, column: str, ids: Collection[int | None]) -> dict[int, str]:
    named = {each for each in ids if each is not None}
    return dict(rows.filter(pk__in=named).values_list("pk", column)) if named else {}

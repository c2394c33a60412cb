"""What a request keeps of what is wanted, measured from what there is."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet

from core.errors import InvalidInput
from features.models import EnvironmentFeatureVersion, Feature
from features.services.allocations import Allocation
from features.services.change_sets import UNCHANGED, Change, Operation
from segments.models import Segment
from workflows.content import (
    EVERYONE,
    Served,
    Targets,
    WantedChange,
    as_listed,
    basis_of,
    changed_targets,
    drafted,
    key_of,
    same,
    served_in,
)
from workflows.models import ChangeKind, ChangeRequest, RequestedChange
from workflows.selectors import changes_of
from workflows.services.carrying_out import refuse_cohorts, try_out


def store_changes(
    request: ChangeRequest, wanted: Sequence[WantedChange], *, current: Sequence[RequestedChange] = ()
) -> None:
    """Make these all that a request changes, measured from what there is now.

    Args:
        current: what it changes so far. Rows that fit are kept.

    Raises:
        InvalidInput, CohortSegmentError
    """
    served = _served(request, wanted)
    kept = {_identity_of(each): each for each in current}
    rows = []
    for each in wanted:
        row = RequestedChange(
            change_request=request,
            kind=each.kind,
            feature_id=each.feature_id,
            segment_id=each.segment_id,
            version_id=each.version_id,
            live_from=each.live_from,
        )
        _check_place(request, row)
        row.content = _content(row, each, served)
        row.basis = basis_of(row, served)
        before = kept.pop(_identity_of(row), None)
        if before is not None:
            row.pk = before.pk
        rows.append(row)
    refuse_cohorts(rows)
    if len({_identity_of(row) for row in rows}) < len(rows):
        raise InvalidInput({"non_field_errors": ["A feature state can only be changed once at a time."]})
    if kept:
        RequestedChange.objects.filter(pk__in=[each.pk for each in kept.values()]).delete()
    for row in rows:
        row.save()
    try_out(request, changes_of(request))


def are_the_same(
    current: Sequence[RequestedChange], request: ChangeRequest, wanted: Sequence[WantedChange]
) -> bool:
    """Whether what is wanted is what a request changes already, in the form in which it is shown."""
    if len(current) != len(wanted):
        return False
    served = _served(request, wanted)
    for row, each in zip(current, wanted, strict=True):
        place = (each.kind, each.feature_id, each.segment_id, each.version_id, each.live_from)
        if (row.kind, row.feature_id, row.segment_id, row.version_id, row.live_from) != place:
            return False
        if not same(as_listed(row.kind, _content(row, each, served)), as_listed(row.kind, row.content)):
            return False
    return True


def _served(request: ChangeRequest, wanted: Iterable[WantedChange]) -> Served:
    if request.environment_id is None:
        return {}
    return served_in(request.environment_id, {each.feature_id for each in wanted if each.feature_id})


def _content(row: RequestedChange, wanted: WantedChange, served: Served) -> Any:
    """Return what a row keeps. A single state is kept whole: what isn't said of it is as it is served now."""
    there = served.get(wanted.feature_id or 0, {})
    if wanted.kind == ChangeKind.VERSION:
        version = EnvironmentFeatureVersion.objects.get(pk=wanted.version_id)
        return {"draft": drafted(version), "targets": changed_targets(version, there)}
    complete = _whole if wanted.kind == ChangeKind.STATE else _decided
    steps = tuple(tuple(complete(change, there) for change in step) for step in wanted.steps)
    return replace(wanted, steps=steps).content


def _decided(change: Change, there: Targets) -> Change:
    """Say of a change whether it makes a state or changes one: lists show it as either."""
    if change.operation is not Operation.SET:
        return change
    is_there = there.get(key_of(change.segment_id)) is not None
    return replace(change, operation=Operation.UPDATE if is_there else Operation.CREATE)


def _whole(change: Change, there: Targets) -> Change:
    state = there.get(key_of(change.segment_id)) or there.get(EVERYONE)
    if state is None:
        return change
    whole = change
    if change.enabled is UNCHANGED:
        whole = replace(whole, enabled=state["enabled"])
    if change.value is UNCHANGED:
        whole = replace(whole, value=state["value"])
    if change.allocations is UNCHANGED or (not change.allocations and state["allocations"]):
        shares = tuple(Allocation(option_id, share) for option_id, share in state["allocations"])
        whole = replace(whole, allocations=shares)
    return whole


def _check_place(request: ChangeRequest, row: RequestedChange) -> None:
    """See that what is to be changed is the project's, and load it.

    Raises:
        InvalidInput
    """
    if row.kind == ChangeKind.SEGMENT:
        segments: QuerySet[Segment] = Segment.objects.for_people().filter(project=request.project_id)
        row.segment = segments.filter(pk=row.segment_id or 0).first()
        if row.segment is None:
            raise InvalidInput({"segments": ["Segment does not exist in project."]})
        return
    features = Feature.objects.filter(project=request.project_id).select_related("project")
    row.feature = features.filter(pk=row.feature_id).first()
    if row.feature is None:
        raise InvalidInput({"feature": ["Feature does not exist in project"]})


def _identity_of(row: RequestedChange) -> tuple[Any, ...]:
    """Return what of a row stays the same when it is edited."""
    target: Any = None
    if row.kind == ChangeKind.STATE:
        target = next(kept["segment"] for step in row.content["steps"] for kept in step)
    return (row.kind, row.feature_id, row.segment_id, row.version_id, target)

"""The life of a change request: it is made, edited, approved, committed or discarded.

Every one of these locks the request's row first, and looks at it then.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.services import Author
from core.errors import InvalidInput
from environments.models import Environment
from features.models import EnvironmentFeatureVersion, Feature
from features.services.allocations import Allocation
from features.services.change_sets import UNCHANGED, Change
from features.services.versions import signed
from organisations.models import Group, MasterKey
from permissions.actors import Machine
from projects.models import Project
from segments.models import Segment
from users.models import User
from workflows import mails
from workflows.content import (
    EVERYONE,
    Served,
    WantedChange,
    basis_of,
    changed_targets,
    drafted,
    same,
    served_in,
)
from workflows.exceptions import (
    CommittedError,
    CommittedRequestDeletionError,
    ConflictingChangesError,
    NoPersonError,
    NotApprovedError,
    OwnRequestError,
)
from workflows.models import Approval, ChangeKind, ChangeRequest, RequestedChange
from workflows.selectors import changes_of, conflicts_of, is_approved
from workflows.services import records
from workflows.services.carrying_out import (
    carry_out_or_schedule,
    database_now,
    lock_features,
    refuse_cohorts,
    take_back,
    try_out,
)


class Words(TypedDict, total=False):
    """What may be said of a request besides what it changes and who is to approve it."""

    title: str
    description: str | None
    ignore_conflicts: bool


class Reviewers(TypedDict, total=False):
    """Who is asked to approve. What is left out stays as it is."""

    user_ids: Collection[int]
    group_ids: Collection[int]


@transaction.atomic
def create_change_request(
    project: Project,
    environment: Environment | None,
    *,
    author: Author,
    changes: Sequence[WantedChange],
    reviewers: Reviewers | None = None,
    **words: Unpack[Words],
) -> ChangeRequest:
    """Ask for a change of an environment; or, without one, of a project's segments.

    Raises:
        InvalidInput: it can't be carried out, or a reviewer isn't of the organisation.
        CohortSegmentError: a cohort keeps one of the segments.
    """
    request = ChangeRequest(project=project, environment=environment, **signed("user", author), **words)
    request.edited_by_id = _person_behind(author)
    request.save()
    _store_changes(request, changes)
    records.created(request, author=author)
    _ask(request, reviewers or {})
    return request


@transaction.atomic
def update_change_request(
    request: ChangeRequest,
    *,
    author: Author,
    changes: Sequence[WantedChange] | None = None,
    reviewers: Reviewers | None = None,
    **words: Unpack[Words],
) -> ChangeRequest:
    """Change a request that hasn't taken effect. Whatever is new of it has to be approved anew.

    One that is scheduled is taken back: it takes effect if it is committed once more. Asking others to
    approve it is no edit.

    Raises:
        CommittedError: it has taken effect, at least in part.
        InvalidInput, CohortSegmentError: as for creating.
    """
    request = _locked(request)
    current = changes_of(request)
    edited = [name for name, new in words.items() if getattr(request, name) != new]
    for name in edited:
        setattr(request, name, words[name])  # type: ignore[literal-required]
    has_new_changes = changes is not None and not _are(current, request, changes)
    if edited or has_new_changes:
        if any(change.applied_at is not None for change in current):
            raise CommittedError("A Change Request that has taken effect cannot be edited.")
        _take_back(request, current)
        request.edited_by_id = _person_behind(author)
        request.save()
        if has_new_changes:
            _store_changes(request, changes or ())
    _ask(request, reviewers or {})
    return request


@transaction.atomic
def approve(request: ChangeRequest, *, approver: Author) -> ChangeRequest:
    """Say yes to a request as it is. Once more is harmless.

    Raises:
        OwnRequestError: whoever approves has made it, or edited it last.
        NoPersonError: no person approves.
        CommittedError: it is too late.
    """
    request = _locked(request)
    if not isinstance(approver, User):
        raise NoPersonError
    if approver.pk in {request.user_id, request.edited_by_id}:
        raise OwnRequestError
    approval = Approval.objects.filter(change_request=request, user=approver).first()
    if approval is not None and approval.approved_at is not None:
        return request
    if request.is_committed:
        raise CommittedError("Change Request has already been committed.")
    if approval is None:
        approval = Approval(change_request=request, user=approver, is_requested=False)
    approval.approved_at = database_now()
    approval.save()
    records.approved(request, author=approver)
    mails.tell_approved(request, approver)
    return request


@transaction.atomic
def commit(request: ChangeRequest, *, author: Author) -> ChangeRequest:
    """Carry a request out: now, or at the times that it names.

    Raises:
        CommittedError: somebody has.
        NotApprovedError: not enough people have approved it.
        ConflictingChangesError: what it changes was changed since it was asked for.
        CohortSegmentError: a cohort keeps one of the segments.
        DomainError: it can't be carried out, for what there is by now.
    """
    request = _locked(request)
    if request.is_committed:
        raise CommittedError("Change Request has already been committed.")
    if not is_approved(request):
        raise NotApprovedError
    changes = changes_of(request)
    refuse_cohorts(changes)
    lock_features(changes)
    if conflicts := conflicts_of(request, changes):
        raise ConflictingChangesError(conflicts)
    request.committed_at = database_now()
    for column, value in signed("committed_by", author).items():
        setattr(request, column, value)
    request.save()
    records.committed(request, author=author)
    carry_out_or_schedule(request, changes, author=author)
    return request


@transaction.atomic
def delete_change_request(request: ChangeRequest, *, author: Author) -> None:
    """Discard a request. One that is scheduled isn't carried out then.

    Raises:
        CommittedRequestDeletionError: it has taken effect, or is due.
    """
    request = _locked(request)
    changes = changes_of(request)
    if request.is_committed and not all(_is_without_effect(change) for change in changes):
        raise CommittedRequestDeletionError
    take_back(changes)
    records.deleted(request, author=author)
    request.delete()


def _person_behind(author: Author) -> int | None:
    """Return the id of a user, or of who made a machine's key: nobody approves what their key asks for."""
    if not isinstance(author, Machine):
        return author.pk if author else None
    keys: QuerySet[MasterKey] = MasterKey.objects.filter(pk=author.key_id)
    return keys.values_list("created_by", flat=True).first()


def _is_without_effect(change: RequestedChange) -> bool:
    """Whether a committed change is still to come, or was given up."""
    if change.given_up_at is not None:
        return True
    return change.applied_at is None and change.live_from is not None and change.live_from > database_now()


def _locked(request: ChangeRequest) -> ChangeRequest:
    """Return a request as it is once nobody else writes it."""
    locked: ChangeRequest = (
        ChangeRequest.objects.select_related("project", "environment__project", "user")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=request.pk)
    )
    return locked


def _take_back(request: ChangeRequest, changes: Iterable[RequestedChange]) -> None:
    """Make a request one that nobody has approved or committed."""
    take_back(changes)
    request.committed_at = None
    for column, value in signed("committed_by", None).items():
        setattr(request, column, value)
    approvals = Approval.objects.filter(change_request=request)
    approvals.filter(is_requested=False).delete()
    approvals.update(approved_at=None)
    RequestedChange.objects.filter(change_request=request).update(given_up_at=None, reason="")


def _store_changes(request: ChangeRequest, wanted: Sequence[WantedChange]) -> None:
    """Make these all that a request changes, measured from what there is now. Rows that fit are kept.

    Raises:
        InvalidInput, CohortSegmentError
    """
    served = _served(request, wanted)
    kept = {_identity_of(each): each for each in changes_of(request)}
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
        row.content = _content(request, row, each, served)
        row.basis = basis_of(row, served)
        before = kept.pop(_identity_of(row), None)
        if before is not None:
            row.pk = before.pk
        rows.append(row)
    refuse_cohorts(rows)
    if len({_identity_of(row) for row in rows}) < len(rows):
        raise InvalidInput({"non_field_errors": ["A feature state can only be changed once at a time."]})
    RequestedChange.objects.filter(pk__in=[each.pk for each in kept.values()]).delete()
    for row in rows:
        row.save()
    try_out(request, changes_of(request))


def _are(current: Sequence[RequestedChange], request: ChangeRequest, wanted: Sequence[WantedChange]) -> bool:
    """Whether what is wanted is what a request changes already."""
    if len(current) != len(wanted):
        return False
    served = _served(request, wanted)
    for row, each in zip(current, wanted, strict=True):
        place = (each.kind, each.feature_id, each.segment_id, each.version_id, each.live_from)
        if (row.kind, row.feature_id, row.segment_id, row.version_id, row.live_from) != place:
            return False
        wanted_content = _content(request, row, each, served)
        # Of a version, what others do meanwhile to what is served says nothing.
        part = "draft" if row.kind == ChangeKind.VERSION else None
        if part and not same(wanted_content[part], row.content[part]):
            return False
        if not part and not same(wanted_content, row.content):
            return False
    return True


def _served(request: ChangeRequest, wanted: Iterable[WantedChange]) -> Served:
    if request.environment_id is None:
        return {}
    return served_in(request.environment_id, {each.feature_id for each in wanted if each.feature_id})


def _content(request: ChangeRequest, row: RequestedChange, wanted: WantedChange, served: Served) -> Any:
    """Return what a row keeps. A single state is kept whole: what isn't said of it is as it is served now."""
    if wanted.kind == ChangeKind.VERSION:
        version = EnvironmentFeatureVersion.objects.get(pk=wanted.version_id)
        return {"draft": drafted(version), "targets": changed_targets(version, served[version.feature_id])}
    if wanted.kind == ChangeKind.STATE:
        there = served.get(wanted.feature_id or 0, {})
        steps = tuple(tuple(_whole(change, there) for change in step) for step in wanted.steps)
        wanted = replace(wanted, steps=steps)
    return wanted.content


def _whole(change: Change, there: dict[str, Any]) -> Change:
    target = EVERYONE if change.segment_id is None else str(change.segment_id)
    state = there.get(target) or there.get(EVERYONE)
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


def _ask(request: ChangeRequest, reviewers: Reviewers) -> None:
    """Make these all who are asked to approve, and tell those who are new.

    Raises:
        InvalidInput: somebody isn't of the organisation.
    """
    organisation_id = request.project.organisation_id
    if "user_ids" in reviewers:
        wanted = set(reviewers["user_ids"])
        users = User.objects.filter(pk__in=wanted, memberships__organisation=organisation_id)
        if users.count() < len(wanted):
            raise InvalidInput({"approvals": ["User is not a member of the organisation."]})
        approvals = Approval.objects.filter(change_request=request)
        approvals.exclude(user__in=wanted).filter(Q(is_requested=True) | Q(approved_at=None)).delete()
        new = wanted.difference(approvals.values_list("user", flat=True))
        Approval.objects.bulk_create(Approval(change_request=request, user_id=each) for each in sorted(new))
        mails.ask_to_approve(request, users.filter(pk__in=new).order_by("pk"))
    if "group_ids" in reviewers:
        wanted = set(reviewers["group_ids"])
        groups = Group.objects.filter(pk__in=wanted, organisation=organisation_id)
        if groups.count() < len(wanted):
            raise InvalidInput({"group_assignments": ["Group does not belong to the organisation."]})
        assignments = request.group_assignments.all()
        assignments.exclude(group__in=wanted).delete()
        new = wanted.difference(assignments.values_list("group", flat=True))
        for group_id in sorted(new):
            request.group_assignments.create(group_id=group_id)
        members = User.objects.filter(permission_groups__in=new).exclude(pk=request.user_id or 0)
        mails.ask_to_approve(request, members.distinct().order_by("pk"))

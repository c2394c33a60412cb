"""The life of a change request: it is made, edited, approved, committed or discarded.

Every one of these locks the request's row first, and looks at it then.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import QuerySet

from audit.services import Author
from environments.models import Environment
from features.services.change_sets import Change
from features.services.versions import signed
from organisations.models import MasterKey
from permissions.actors import Machine
from projects.models import Project
from users.models import User
from workflows import mails
from workflows.content import WantedChange
from workflows.exceptions import (
    CommittedError,
    CommittedRequestDeletionError,
    ConflictingChangesError,
    NoPersonError,
    NotApprovedError,
    OwnRequestError,
)
from workflows.models import Approval, ChangeKind, ChangeRequest, Comment, RequestedChange
from workflows.selectors import changes_of, conflicts_of, is_approved
from workflows.services import records
from workflows.services.carrying_out import (
    carry_out_or_schedule,
    database_now,
    lock_features,
    refuse_cohorts,
    take_back,
)
from workflows.services.requested_changes import are_the_same, store_changes
from workflows.services.reviewers import Reviewers, ask


class Words(TypedDict, total=False):
    """What may be said of a request besides what it changes and who is to approve it."""

    title: str
    description: str | None
    ignore_conflicts: bool


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
    store_changes(request, changes)
    records.created(request, author=author)
    ask(request, reviewers or {})
    return request


def propose_change_set(
    environment: Environment,
    changes: Sequence[Change],
    *,
    author: Author,
    live_from: datetime | None = None,
    reviewers: Reviewers | None = None,
    **words: Unpack[Words],
) -> ChangeRequest:
    """Ask for a change set to be applied to an environment. Committing the request applies it.

    Of each feature the request has one change, so that conflicts and schedules are the features' own. Where
    nobody has to approve, proposing something and committing it is how to schedule it. Whether the author may
    do either is for the caller to check: `CREATE_CHANGE_REQUEST`, `UPDATE_FEATURE_STATE`.

    Args:
        changes: all of the environment, none of an identity. What `apply_change_set` takes.
        live_from: when it takes effect. None, or past: when it is committed.
        words: at least a title.

    Raises:
        InvalidInput: it couldn't be applied now, or a reviewer isn't of the organisation.
    """
    by_feature: dict[int, list[Change]] = {}
    for change in changes:
        if change.environment_id != environment.pk or change.identity_id is not None:
            raise ValueError(f"Not of the environment itself: {change}")
        by_feature.setdefault(change.feature_id, []).append(change)
    wanted = [
        WantedChange(
            ChangeKind.CHANGE_SET, feature_id=feature_id, steps=(tuple(of_feature),), live_from=live_from
        )
        for feature_id, of_feature in by_feature.items()
    ]
    return create_change_request(
        environment.project, environment, author=author, changes=wanted, reviewers=reviewers, **words
    )


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
    has_new_changes = changes is not None and not are_the_same(current, request, changes)
    if edited or has_new_changes:
        if any(change.applied_at is not None for change in current):
            raise CommittedError("A Change Request that has taken effect cannot be edited.")
        _take_back(request, current)
        request.edited_by_id = _person_behind(author)
        request.save()
        if has_new_changes:
            store_changes(request, changes or (), current=current)
    ask(request, reviewers or {})
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


def comment(request: ChangeRequest, *, author: Author, text: str) -> Comment:
    """Say something about a request, whatever has become of it. That ends no approval."""
    said: Comment = request.comments.create(text=text, **signed("user", author))
    return said


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

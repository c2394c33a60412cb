"""Reading change requests: how far they are, and what stands in their way."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from environments.models import Environment
from workflows.content import EVERYONE, Served, basis_of, same, segment_id_of, served_in, targets_of
from workflows.models import Approval, ChangeKind, ChangeRequest, RequestedChange


def requests_with_changes() -> QuerySet[ChangeRequest]:
    """Requests with where they are and what they change."""
    requests: QuerySet[ChangeRequest] = ChangeRequest.objects.select_related(
        "project", "environment__project"
    )
    return requests.prefetch_related("changes")


def described_requests() -> QuerySet[ChangeRequest]:
    """Requests with all that is shown of them, in a number of queries that doesn't depend on theirs."""
    return requests_with_changes().prefetch_related(
        "changes__segment__project", "changes__version", "approvals", "group_assignments"
    )


def changes_of(request: ChangeRequest) -> list[RequestedChange]:
    """Return what a request changes, in the order in which it was asked for."""
    changes: QuerySet[RequestedChange] = RequestedChange.objects.filter(change_request=request)
    return list(changes.select_related("segment__project", "version__environment", "feature__project"))


def number_of_approvals(request: ChangeRequest) -> int:
    """Count those who have approved. Whoever was asked to and hasn't doesn't count."""
    return Approval.objects.filter(change_request=request, approved_at__isnull=False).count()


def is_approved(request: ChangeRequest) -> bool:
    return number_of_approvals(request) >= (request.minimum_approvals or 0)


def served_for(request: ChangeRequest, changes: Iterable[RequestedChange]) -> Served:
    """Return what those features serve that a request changes."""
    features = {each.feature_id for each in changes if each.feature_id is not None}
    if request.environment_id is None or not features:
        return {}
    return served_in(request.environment_id, features)


def conflicts_of(
    request: ChangeRequest, changes: Sequence[RequestedChange] | None = None
) -> list[dict[str, Any]]:
    """Return what a request changes that somebody has changed since that was asked for.

    Of what has taken effect, and of what ignores conflicts, there are none.
    """
    if request.ignore_conflicts:
        return []
    pending = [each for each in (changes_of(request) if changes is None else changes) if _is_unsettled(each)]
    served = served_for(request, pending)
    found = []
    for change in pending:
        now = basis_of(change, served)
        differing = [key for key in targets_of(change) if not same(change.basis.get(key), now.get(key))]
        found += [_conflict(request, change, target) for target in differing]
    return found


def _is_unsettled(change: RequestedChange) -> bool:
    return change.applied_at is None


def _conflict(request: ChangeRequest, change: RequestedChange, target: str) -> dict[str, Any]:
    """Describe a conflict as dashboards know it, and with what it is about."""
    last = _last_applied(change, target)
    is_segment = change.kind == ChangeKind.SEGMENT
    return {
        "original_cr_id": last.change_request_id if last else None,
        "segment_id": change.segment_id if is_segment else segment_id_of(target),
        "is_environment_default": not is_segment and target == EVERYONE,
        "published_at": last.applied_at if last else None,
        "feature_id": change.feature_id,
    }


def _last_applied(change: RequestedChange, target: str) -> RequestedChange | None:
    """Return the change that a request has made last of the same thing, since this one was asked for."""
    same_thing = (
        Q(segment=change.segment_id)
        if change.kind == ChangeKind.SEGMENT
        else Q(feature=change.feature_id, change_request__environment=change.change_request.environment_id)
    )
    others: QuerySet[RequestedChange] = RequestedChange.objects.filter(
        same_thing, applied_at__gt=change.change_request.created_at
    ).exclude(change_request=change.change_request_id)
    return next((each for each in others.order_by("-applied_at")[:100] if target in targets_of(each)), None)


def numbers_in(environment: Environment) -> dict[str, int]:
    """Count an environment's requests that are open, and those that wait for their time."""
    requests = ChangeRequest.objects.filter(environment=environment)
    return {
        "open_change_requests": requests.open().count(),
        "total_scheduled_changes": requests.scheduled().count(),
    }

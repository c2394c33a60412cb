"""What is asked before something is rolled back or promoted, and how it is answered then."""

from collections import defaultdict
from typing import Any

from rest_framework.response import Response

from features.scope import permission_to_change, require_for_each
from permissions.actors import Actor
from releases.exceptions import NothingToDoError
from releases.serializers import shown_plan
from releases.services import Mode, Outcome, Plan, Way


def check_may(actor: Actor, plan: Plan, way: Way) -> None:
    """Refuse whoever may not make, or ask for, all of a plan's changes; then, a plan without any.

    Raises:
        PermissionDenied
        NothingToDoError
    """
    needed: dict[str, set[int]] = defaultdict(set)
    for change in plan.change_set:
        needed[_permission(way, overrides_segment=change.segment_id is not None)].add(change.feature_id)
    for permission in sorted(needed) or [_permission(way, overrides_segment=False)]:
        require_for_each(actor, permission, plan.environment, needed[permission])
    if not plan.change_set:
        raise NothingToDoError(shown_plan(plan))


def _permission(way: Way, *, overrides_segment: bool) -> str:
    if way.mode is Mode.REQUEST:
        return "CREATE_CHANGE_REQUEST"
    return permission_to_change(overrides_segment=overrides_segment)


def shown_outcome(outcome: Outcome) -> Response:
    shown: dict[str, Any] = shown_plan(outcome.plan)
    return Response({**shown, "change_request": outcome.request.pk if outcome.request else None})

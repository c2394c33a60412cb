"""Change requests for tests, made by API as dashboards make them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from environments.models import Environment
from features.models import Feature, FeatureState
from features.models.state import FOR_EVERYONE
from features.models.values import FlagValue
from features.services.change_sets import Change
from projects.models import Project
from segments.models import Segment
from tasks.models import Job
from tasks.services import run_due
from users.models import User
from workflows.content import WantedChange, segment_content
from workflows.models import ChangeKind, ChangeRequest, RequestedChange
from workflows.services.change_requests import create_change_request

REQUESTS = "/api/v1/features/workflows/change-requests/"


def text(value: str) -> dict[str, Any]:
    return {"type": "unicode", "string_value": value}


def state(
    feature: Feature, value: str, *, live_from: datetime | None = None, **fields: Any
) -> dict[str, Any]:
    return {
        "feature": feature.pk,
        "feature_segment": None,
        "enabled": True,
        "feature_state_value": text(value),
        "live_from": live_from.isoformat() if live_from else None,
        **fields,
    }


def ask(client: APIClient, environment: Environment, *states: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Ask for a change, and return the request as it is answered."""
    path = f"/api/v1/environments/{environment.api_key}/create-change-request/"
    wanted = {"title": "Paint it", "feature_states": list(states), **body}
    response = client.post(path, wanted, format="json")
    assert response.status_code == 201, response.json()
    shown: dict[str, Any] = response.json()
    return shown


def act(client: APIClient, request: dict[str, Any], action: str, *, status: int = 200) -> dict[str, Any]:
    response = client.post(f"{REQUESTS}{request['id']}/{action}/")
    assert response.status_code == status, response.json()
    shown: dict[str, Any] = response.json()
    return shown


def edit(client: APIClient, request: dict[str, Any], *, status: int = 200, **changes: Any) -> dict[str, Any]:
    response = client.put(f"{REQUESTS}{request['id']}/", {**request, **changes}, format="json")
    assert response.status_code == status, response.json()
    shown: dict[str, Any] = response.json()
    return shown


def require_approvals(place: Environment | Project, number: int) -> None:
    place.minimum_change_request_approvals = number
    place.save()


def soon(**delay: float) -> datetime:
    return timezone.now() + timedelta(**(delay or {"hours": 1}))


def make_due(*requests: dict[str, Any]) -> None:
    """Let the time come that requests are scheduled for: that of the first before that of the next."""
    for number, request in enumerate(requests):
        past = timezone.now() - timedelta(minutes=len(requests) - number)
        changes = RequestedChange.all_objects.filter(change_request=request["id"])
        changes.update(live_from=past)
        for change in changes:
            Job.objects.filter(key__endswith=f" {change.pk}", key__startswith="workflows.").update(
                run_at=past
            )


def let_time_come(*requests: dict[str, Any]) -> None:
    make_due(*requests)
    run_due()


def served(feature: Feature, environment: Environment) -> FlagValue:
    """Return what the feature serves to everyone."""
    state = FeatureState.objects.get(FOR_EVERYONE, feature=feature, environment=environment)
    return state.value


def make_request(
    environment: Environment,
    feature: Feature,
    *,
    author: User,
    title: str = "Switch it on",
) -> ChangeRequest:
    """Ask for the feature to be switched on, long from now."""
    change = Change(feature.pk, environment.pk, enabled=True)
    wanted = WantedChange(
        ChangeKind.STATE,
        feature_id=feature.pk,
        steps=((change,),),
        shown={"feature_segment": None},
        live_from=datetime(2999, 1, 1, tzinfo=UTC),
    )
    return create_change_request(
        environment.project, environment, author=author, changes=[wanted], title=title
    )


def make_segment_request(segment: Segment, *, author: User, **words: Any) -> ChangeRequest:
    """Ask for the segment to be called otherwise."""
    properties = {**segment_content(segment), "name": f"{segment.name} renamed"}
    wanted = WantedChange(ChangeKind.SEGMENT, segment_id=segment.pk, properties=properties)
    return create_change_request(segment.project, None, author=author, changes=[wanted], **words)

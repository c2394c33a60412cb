"""The audit records of change requests: Flagsmith's sentences."""

from datetime import datetime

from audit.models import RelatedObjectType
from audit.services import Author, record
from features.models import FeatureState
from features.services import records
from workflows.models import ChangeRequest


def created(request: ChangeRequest, *, author: Author) -> None:
    _of_request(request, "created", author)


def approved(request: ChangeRequest, *, author: Author) -> None:
    _of_request(request, "approved", author)


def committed(request: ChangeRequest, *, author: Author) -> None:
    _of_request(request, "committed", author)


def deleted(request: ChangeRequest, *, author: Author) -> None:
    _of_request(request, "deleted", author)


def scheduled(request: ChangeRequest, state: FeatureState, live_from: datetime, *, author: Author) -> None:
    """Record that a state will be changed. What versions serve has no records of its own."""
    log = (
        f"Flag state for feature '{state.feature.name}' scheduled for update by Change Request "
        f"'{request.title}' at {live_from:%d/%m/%Y %H:%M:%S}."
    )
    records.of_state(log, state, author=author)


def _of_request(request: ChangeRequest, done: str, author: Author) -> None:
    record(
        f"Change Request: {request.title} {done}",
        author=author,
        related_object=request,
        related_object_type=RelatedObjectType.CHANGE_REQUEST,
        organisation_id=request.project.organisation_id,
        project_id=request.project_id,
        environment_id=request.environment_id,
    )

"""Who is told what about change requests, by mail."""

from collections.abc import Iterable

from mails import services as mail
from users.models import User
from workflows.models import ChangeRequest


def ask_to_approve(request: ChangeRequest, reviewers: Iterable[User]) -> None:
    """Tell people that they are asked to approve a request."""
    for reviewer in reviewers:
        _send("change_request_assigned", request, reviewer)


def tell_approved(request: ChangeRequest, approver: User) -> None:
    """Tell whoever asked for a change that somebody has approved it."""
    if request.user is not None:
        _send("change_request_approved", request, request.user, approver=approver)


def tell_given_up(request: ChangeRequest, reason: str) -> None:
    """Tell whoever asked for a change that its time has come and that it wasn't made."""
    if request.user is not None:
        _send("change_request_given_up", request, request.user, reason=reason)


def _send(template: str, request: ChangeRequest, reader: User, **words: object) -> None:
    context = {"change_request": request, "reader": reader, "page": _page_of(request), **words}
    mail.send(template, to=reader.email, context=context)


def _page_of(request: ChangeRequest) -> str:
    """Return where the dashboard shows a request, below the site's address."""
    if request.environment is None:
        return f"/project/{request.project_id}/change-requests/{request.pk}"
    key = request.environment.api_key
    return f"/project/{request.project_id}/environment/{key}/change-requests/{request.pk}"

"""Where changes are made by request only: what lets a change through, or refuses it.

A project that says how many have to approve takes changes of its segments from committed change requests
only, and so does an environment with what it serves: whoever asks, by the API or in the admin. In an
emergency those who may get through by saying why; the callers note that in the audit log.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from audit.models import AuditRecord
from audit.services import Author
from core.causes import current_cause
from permissions.access import may
from permissions.catalogue import ADMIN
from projects.exceptions import ApprovalRequiredError, MayNotBreakGlassError


@dataclass
class Commission:
    """A committed change request that is being carried out.

    Attributes:
        records: what was recorded of rows so far, by their ids: one record says all that is new of one.
    """

    request_id: int
    title: str
    was_scheduled: bool
    records: dict[int, AuditRecord] = field(default_factory=dict)


_commission: ContextVar[Commission | None] = ContextVar("commission", default=None)
_is_trial: ContextVar[bool] = ContextVar("is trial", default=False)


@contextmanager
def carrying_out(commission: Commission) -> Iterator[None]:
    """What is changed until the block ends, a committed change request changes."""
    token = _commission.set(commission)
    try:
        yield
    finally:
        _commission.reset(token)


@contextmanager
def trying_out() -> Iterator[None]:
    """What is changed until the block ends is undone in any case: nobody has to approve it."""
    token = _is_trial.set(True)
    try:
        yield
    finally:
        _is_trial.reset(token)


def current_commission() -> Commission | None:
    return _commission.get()


def takes_requests_only(place: Any) -> bool:
    """Whether a change that is being made of a project or an environment would need a request."""
    is_let_through = current_commission() is not None or _is_trial.get()
    return place.minimum_change_request_approvals is not None and not is_let_through


def is_emergency() -> bool:
    """Whether the caller says so. Who may, `emergency_in` knows."""
    cause = current_cause()
    return cause is not None and bool(cause.emergency)


def emergency_in(
    place: Any, *, author: Author, permission: str = ADMIN, tags: Collection[int] | None = None
) -> str:
    """Return why a change is made without the request that it needs.

    Args:
        permission: what whoever may do so holds on the place.

    Raises:
        ApprovalRequiredError: the caller doesn't say that it is an emergency.
        MayNotBreakGlassError: the caller says so, and may not.
    """
    who_may = f"an administrator of the {place._meta.verbose_name}"
    if permission != ADMIN:
        who_may = f"whoever has the permission {permission}"
    cause = current_cause()
    if cause is None or not cause.emergency:
        raise ApprovalRequiredError(place.name, who_may)
    if author is None or not may(author, permission, place, tags=tags):
        raise MayNotBreakGlassError(place.name, who_may)
    return cause.emergency

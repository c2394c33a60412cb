"""Where what is served changes by request only: the one place that lets a change through, or refuses it.

An environment that says how many have to approve takes changes of what it serves to everyone and to segments
from committed change requests only, whoever asks: the API, the admin, imports. Overrides of identities and
features that are new are exempt. In an emergency whoever holds `BREAK_GLASS` gets through by saying why; that
is noted in the audit log.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from audit.models import AuditRecord, ChangeType, RelatedObjectType
from audit.services import Author, record
from core.causes import current_cause
from environments.models import Environment
from features.exceptions import ApprovalRequiredError, MayNotBreakGlassError
from features.models import Feature
from permissions.access import may

BREAK_GLASS = "BREAK_GLASS"


@dataclass
class Commission:
    """A committed change request that is being carried out.

    Attributes:
        records: what was recorded of states so far, by their ids: one record says all that is new of one.
    """

    request_id: int
    title: str
    was_scheduled: bool
    records: dict[int, AuditRecord] = field(default_factory=dict)

    def sentence_about(self, feature: Feature) -> str:
        if self.was_scheduled:
            return (
                "Scheduled change to Flag state / Remote config value went live for feature: "
                f"{feature.name} by Change Request: {self.title}"
            )
        return (
            f"Flag state / Remote config updated for feature: {feature.name} by Change Request: {self.title}"
        )


_commission: ContextVar[Commission | None] = ContextVar("commission", default=None)


@contextmanager
def carrying_out(commission: Commission) -> Iterator[None]:
    """What is changed until the block ends, a committed change request changes."""
    token = _commission.set(commission)
    try:
        yield
    finally:
        _commission.reset(token)


def current_commission() -> Commission | None:
    return _commission.get()


def check_approval(
    environments: Iterable[Environment], features: Collection[Feature], *, author: Author
) -> None:
    """Refuse to change what these features serve in environments that take changes by request only.

    Args:
        environments: as they are in the transaction that makes the change.

    Raises:
        ApprovalRequiredError: one of them does.
        MayNotBreakGlassError: the caller says that it is an emergency, and may not.
    """
    guarded = [each for each in environments if each.minimum_change_request_approvals is not None]
    if not guarded or current_commission() is not None:
        return
    cause = current_cause()
    reason = cause.emergency if cause else ""
    if not reason:
        raise ApprovalRequiredError(guarded[0].name)
    for environment in guarded:
        for feature in features:
            tags = set(feature.tags.values_list("pk", flat=True))
            if author is None or not may(author, BREAK_GLASS, environment, tags=tags):
                raise MayNotBreakGlassError(environment.name)
            _record_broken_glass(environment, feature, reason, author)


def _record_broken_glass(environment: Environment, feature: Feature, reason: str, author: Author) -> None:
    record(
        f"Glass broken: feature '{feature.name}' changed in environment '{environment.name}' "
        f"without approval. Reason: {reason}",
        author=author,
        related_object=feature,
        related_object_type=RelatedObjectType.FEATURE,
        organisation_id=environment.project.organisation_id,
        project_id=environment.project_id,
        environment_id=environment.pk,
        change_type=ChangeType.UPDATE,
    )

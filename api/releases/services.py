"""Rolling changes back, and promoting what one environment serves to another: at once, later, or on approval.

Both work out one change set and hand it on: to be applied now, or to be asked for by a change request, which
may be committed for a later time straight away. What is worked out and what is done are the same thing: the
features are locked before anybody looks.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit.models import RowChange
from audit.services import Author
from environments.models import Environment, PublishedRevision
from features.models import Feature
from features.services import priorities
from features.services.change_sets import Change, apply_change_set
from features.services.places import Target
from projects.exceptions import ApprovalRequiredError
from releases import records
from releases.contents import Contents, Difference, change_set, differences, served
from releases.exceptions import OfferedAsRequestError, OutdatedComparisonError
from releases.previews import Preview, preview
from releases.promotions import Choice, moved, promote
from releases.reversals import Conflict, Impossible, Reversal, reverse
from releases.rewinding import contents_around, features_of
from releases.selectors import changes_of, current_number, rows_there
from workflows.exceptions import NotApprovedError
from workflows.models import ChangeRequest
from workflows.services.change_requests import commit, propose_change_set
from workflows.services.reviewers import Reviewers


class Mode(Enum):
    """When, and on whose word, something is done."""

    APPLY = "apply"
    SCHEDULE = "schedule"
    REQUEST = "request"


@dataclass(frozen=True)
class Way:
    """How something is to be done.

    Attributes:
        live_from: when; None: now, or when the request is committed.
        title: of the change request; empty: one that says what it does.
    """

    mode: Mode = Mode.APPLY
    live_from: datetime | None = None
    title: str = ""
    description: str | None = None
    reviewers: Reviewers = field(default_factory=lambda: Reviewers())


@dataclass(frozen=True)
class Plan:
    """What is to be done, worked out from what there is.

    Attributes:
        changes: what there is and what there is to be, of all that becomes another.
        change_set: the same, to be applied.
        conflicts: what was edited since, and stays.
        impossible: what can't be brought back.
        left_out: what no change request can have.
    """

    environment: Environment
    changes: list[Difference]
    change_set: list[Change]
    conflicts: list[Conflict] = field(default_factory=list)
    impossible: list[Impossible] = field(default_factory=list)
    left_out: list[Target] = field(default_factory=list)

    @property
    def identity_ids(self) -> set[int]:
        return {change.identity_id for change in self.change_set if change.identity_id is not None}


@dataclass(frozen=True)
class Outcome:
    """What was done: the plan, and the request if it takes one."""

    plan: Plan
    request: ChangeRequest | None = None


Check = Callable[[Plan], None]


@transaction.atomic
def roll_back(
    revision: PublishedRevision, environment: Environment, way: Way, *, author: Author, check: Check
) -> Outcome:
    """Undo what made a revision of an environment, but for what was edited since.

    Args:
        check: is shown the plan, and refuses what can't be had.

    Raises:
        ApprovalRequiredError: the environment takes changes by request only.
        DomainError: it can't be done as it is.
    """
    plan = plan_rollback(revision, environment, way.mode)
    check(plan)
    return _carry_out(
        plan,
        way,
        author=author,
        title=f"Roll back revision {revision.revision}",
        note=lambda: records.rolled_back(environment, revision.revision, author=author),
    )


def preview_rollback(
    revision: PublishedRevision, environment: Environment, *, author: Author
) -> tuple[Plan, list[Preview]]:
    """Return what rolling back would do, and what it would make of the document. Nothing of it stays."""
    return _preview(lambda: plan_rollback(revision, environment, Mode.APPLY), environment, author)


def plan_rollback(revision: PublishedRevision, environment: Environment, mode: Mode) -> Plan:
    """Work out what undoes a revision, from what stays as it is until the transaction ends."""
    return plan_reversal(changes_of([revision], environment.pk), environment, mode)


def plan_reversal(changes: Sequence[RowChange], environment: Environment, mode: Mode) -> Plan:
    """Work out what undoes some changes of an environment's states: those of one transaction."""
    features = features_of(changes)
    _lock(features)
    before, after = contents_around(changes)
    identities = {target[3] for target in before.keys() | after.keys() if target[3] is not None}
    now = served(environment.pk, features, identities)
    there = rows_there(environment.project_id, [before, after])
    reversal = reverse(before, after, now, there)
    return _plan(environment, now, reversal, mode)


@transaction.atomic
def promote_choices(
    source: Environment,
    target: Environment,
    choices: Sequence[Choice],
    way: Way,
    *,
    author: Author,
    check: Check,
    compared: tuple[int | None, int | None] = (None, None),
) -> Outcome:
    """Make what is chosen of the target what it is in the source: one change set.

    Args:
        compared: the revisions of source and target that the choice was made by. None: it doesn't matter.

    Raises:
        OutdatedComparisonError: one of them has changed since.
        ApprovalRequiredError, DomainError: as above.
    """
    plan = plan_promotion(source, target, choices, way.mode)
    current = (current_number(source.pk), current_number(target.pk))
    if any(each is not None and each != number for each, number in zip(compared, current, strict=True)):
        raise OutdatedComparisonError(*current)
    check(plan)
    features = len({change.feature_id for change in plan.change_set})
    return _carry_out(
        plan,
        way,
        author=author,
        title=f"Promote from {source.name}",
        note=lambda: records.promoted(source, target, features, author=author),
    )


def preview_promotion(
    source: Environment, target: Environment, choices: Sequence[Choice], *, author: Author
) -> tuple[Plan, list[Preview]]:
    """Return what promoting would do, and what it would make of the document. Nothing of it stays."""
    return _preview(lambda: plan_promotion(source, target, choices, Mode.APPLY), target, author)


def plan_promotion(source: Environment, target: Environment, choices: Sequence[Choice], mode: Mode) -> Plan:
    """Work out what makes the target what is chosen of the source. Until the transaction ends both stay."""
    features = {choice.feature_id for choice in choices}
    _lock(features)
    now = served(target.pk, features)
    wanted = promote(moved(served(source.pk, features), target.pk), now, choices)
    return _plan(target, now, Reversal(wanted), mode)


def _lock(feature_ids: Collection[int]) -> None:
    """Let other changes of these features wait, as change sets do."""
    features: QuerySet[Feature] = Feature.objects.filter(pk__in=feature_ids).order_by("pk")
    list(features.select_for_update(no_key=True).values_list("pk"))


def _plan(environment: Environment, now: Contents, reversal: Reversal, mode: Mode) -> Plan:
    wanted, left_out = reversal.wanted, []
    if mode is not Mode.APPLY:
        left_out = sorted(target for target in wanted if target[3] is not None)
        wanted = {target: content for target, content in wanted.items() if target[3] is None}
    return Plan(
        environment,
        differences(now, wanted, wanted),
        change_set(now, wanted),
        reversal.conflicts,
        reversal.impossible,
        left_out,
    )


def _preview(
    make_plan: Callable[[], Plan], environment: Environment, author: Author
) -> tuple[Plan, list[Preview]]:
    with transaction.atomic():
        plan = make_plan()
        previews = preview(
            lambda: _apply(plan, author),
            [environment],
            identity_ids=plan.identity_ids,
        )
    return plan, previews


def _apply(plan: Plan, author: Author) -> None:
    apply_change_set(plan.change_set, author=author)
    priorities.check_now()


def _carry_out(plan: Plan, way: Way, *, author: Author, title: str, note: Callable[[], Any]) -> Outcome:
    if way.mode is Mode.APPLY:
        try:
            _apply(plan, author)
        except ApprovalRequiredError as refusal:
            raise OfferedAsRequestError(str(refusal)) from refusal
        note()
        return Outcome(plan)
    request = propose_change_set(
        plan.environment,
        plan.change_set,
        author=author,
        live_from=way.live_from,
        reviewers=way.reviewers,
        title=way.title or title,
        description=way.description,
    )
    if way.mode is Mode.SCHEDULE:
        try:
            request = commit(request, author=author)
        except NotApprovedError as refusal:
            raise OfferedAsRequestError(str(refusal)) from refusal
    return Outcome(plan, request)
